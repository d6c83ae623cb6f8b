"""Every channel is sent, to people and to their tokens; campaigns as well."""

from __future__ import annotations

import json
from typing import Any

import pytest

from perigee.sending.tests.conftest import Sending, requests, results

APP = "11111111-2222-3333-4444-555555555555"
PUSH = {
    "title": "Hi %FIRSTNAME|friend%",
    "text": "Order {{ order }} is paid",
    "link": "https://shop.example.com/orders",
    "imageSource": "https://shop.example.com/i.png",
    "customData": '{"order": "{{ order }}", "deep": [{"n": 1}]}',
    "ttlSec": 3600,
    "buttons": [{"actionId": "{{open}}", "label": "Open {{ order }}", "link": "https://shop.example.com/o"}],
    "soundEnabled": True,
}
TELEGRAM = {
    "text": "Hello %FIRSTNAME|friend%",
    "buttons": [{"text": "Open", "link": "https://shop.example.com"}],
}


async def token(
    sending: Sending, contact_id: int, value: str, kind: str = "mobilepush", active: bool = True
) -> int:
    return int(
        await sending.shop.value(
            "insert into push_token (org_id, kind, app_id, token, contact_id, active)"
            " values (%(org)s, %(k)s, %(a)s, %(t)s, %(c)s, %(on)s) returning token_id",
            k=kind,
            a=APP,
            t=value,
            c=contact_id,
            on=active,
        )
    )


async def test_a_push_is_its_members_for_this_person(sending: Sending) -> None:
    anna = await sending.shop.person("a@example.com", first_name="Anna")
    await token(sending, anna, "fcm:1")
    await sending.smart(
        await sending.template("mobilepush", **PUSH), {"locator": "fcm:1", "jsonParam": {"order": 'A"1'}}
    )
    ((address, sender, card),) = await sending.arrived()
    assert (address, sender) == ("fcm:1", "")
    assert card["title"] == "Hi Anna"
    assert card["text"] == 'Order A"1 is paid'
    assert card["link"].startswith("http://perigee.test/c/")
    assert card["linkRaw"] == "https://shop.example.com/orders"
    assert card["imageSource"] == "https://shop.example.com/i.png"
    assert json.loads(card["customData"]) == {"order": 'A"1', "deep": [{"n": 1}]}
    assert (card["ttlSec"], card["soundEnabled"]) == (3600, True)
    (button,) = card["buttons"]
    assert (button["actionId"], button["label"]) == ("{{open}}", 'Open A"1')
    assert button["link"].startswith("http://perigee.test/c/")


async def test_a_person_gets_a_push_on_every_active_device(sending: Sending) -> None:
    anna = await sending.shop.person("a@example.com")
    for value, active in (("one", True), ("two", True), ("off", False)):
        await token(sending, anna, value, active=active)
    answer = await sending.smart(await sending.template("mobilepush", **PUSH), {"contactId": anna})
    assert len(results(answer)) == 1
    assert {address for address, _, _ in await sending.arrived()} == {"one", "two"}
    assert (await sending.status(*requests(answer)))["status"] == "SENT"
    rows = await sending.shop.sql(
        "select contact_id, address from delivery where org_id = %(org)s order by address"
    )
    assert rows == [(anna, "one"), (anna, "two")]


async def test_an_inactive_token_gets_nothing(sending: Sending) -> None:
    anna = await sending.shop.person("a@example.com")
    off = await token(sending, anna, "off", active=False)
    (result,) = results(await sending.smart(await sending.template("mobilepush", **PUSH), {"locator": "off"}))
    assert result["message"] == f"Contact with id='{anna}' has no active token"
    await sending.shop.sql(
        "update push_token set active = true where org_id = %(org)s and token_id = %(t)s", t=off
    )
    answer = await sending.smart(await sending.template("mobilepush", **PUSH), {"locator": "off"})
    await sending.shop.sql("update push_token set active = false where org_id = %(org)s")
    assert await sending.arrived() == []
    assert (await sending.status(*requests(answer)))["failed"] == "true"
    assert await sending.shop.sql(
        "select contact_id, outcome, reason from delivery where org_id = %(org)s"
    ) == [(anna, "dropped", "inactive")]


async def test_a_token_that_went_away_meanwhile_is_nobodys(sending: Sending) -> None:
    await token(sending, await sending.shop.person("a@example.com"), "gone")
    await sending.smart(await sending.template("mobilepush", **PUSH), {"locator": "gone"})
    await sending.shop.sql("delete from push_token where org_id = %(org)s")
    assert await sending.arrived() == []
    assert await sending.shop.sql(
        "select contact_id, outcome, reason from delivery where org_id = %(org)s"
    ) == [(0, "dropped", "deleted")]


async def test_an_unknown_token_becomes_a_contact(sending: Sending) -> None:
    (result,) = results(
        await sending.smart(await sending.template("telegram", **TELEGRAM), {"locator": "555"})
    )
    assert result["status"] == "OK"
    ((address, _, card),) = await sending.arrived()
    assert (address, card["text"]) == ("555", "Hello friend")
    assert card["buttons"][0]["link"].startswith("http://perigee.test/c/")
    assert await sending.shop.sql("select kind, token from push_token where org_id = %(org)s") == [
        ("telegram", "555")
    ]


async def test_a_campaign_reaches_every_device_once(sending: Sending) -> None:
    anna = await sending.shop.person("a@example.com")
    bo = await sending.shop.person("b@example.com")
    for value in ("one", "two"):
        await token(sending, anna, value)
    campaign = await sending.shop.started([anna, bo], channel="mobilepush", versions={"en": PUSH})
    assert sorted(address for address, _, _ in await sending.arrived()) == ["one", "two"]
    report = await sending.shop.report(campaign.campaign_id)
    assert (report.sent, report.dropped) == (2, {"no_address": 1})


async def test_an_app_inbox_message_finds_its_person_by_whatever_names_them(sending: Sending) -> None:
    anna = await sending.shop.person("anna@example.com", phone="380501112233", external_id="CRM-1")
    message_id = await sending.template(
        "appinbox", title="A gift", text="50 points", link="https://shop.example.com"
    )
    answer = await sending.smart(
        message_id,
        {"locator": "anna@example.com"},
        {"locator": "380501112233"},
        {"externalCustomerId": "CRM-1"},
        {"contactId": anna},
    )
    assert len(requests(answer)) == 4
    await sending.shop.run_sender()
    rows = await sending.shop.sql("select contact_id, outcome from delivery where org_id = %(org)s")
    assert rows == [(anna, "sent")] * 4


@pytest.mark.parametrize("channel", ["viber", "sms"])
async def test_campaigns_by_phone(sending: Sending, channel: str) -> None:
    person = await sending.shop.person(phone="380501112233")
    content: dict[str, Any] = {"from": "SHOP", "text": "Hello"}
    await sending.shop.started([person], channel=channel, versions={"en": content})
    ((address, sender, body),) = await sending.arrived()
    assert (address, sender) == ("380501112233", "SHOP")
    assert body in ("Hello", {"text": "Hello"})


async def test_a_web_push_template_is_ours_and_is_sent(sending: Sending) -> None:
    content = {
        "title": "Sale",
        "text": "50 %",
        "link": "https://shop.example.com/",
        "buttons": [{"label": "Open"}],
    }
    made = await sending.api.post(
        "/api/v4/messages", {"channel": "webpush", "name": "Push", "content": content}
    )
    assert made.status_code == 201, made.text
    await token(sending, await sending.shop.person("a@example.com"), "endpoint-1", "webpush")
    await sending.smart(made.json()["message_id"], {"locator": "endpoint-1"})
    ((address, _, card),) = await sending.arrived()
    assert (address, card["title"], card["text"], card["buttons"]) == (
        "endpoint-1",
        "Sale",
        "50 %",
        [{"label": "Open"}],
    )
    assert card["link"].startswith("http://perigee.test/c/")
    assert (await sending.api.get("/api/v1/messages/webpush")).status_code == 404
