"""Campaigns and single messages to browsers, from the call to the notification: a domain is all the set-up."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from perigee.campaigns.types import Campaign
from perigee.delivery.channels.webpush.tests.conftest import SITE, Pushes
from perigee.delivery.providers import WEB_PUSH, pick_provider
from perigee.errors import Invalid
from perigee.testing.sending import until

CARD = {
    "title": "Sale",
    "text": "50 %",
    "link": "https://shop.example.com/sale",
    "imageSource": "https://shop.example.com/big.png",
    "urgency": "high",
    "buttons": [{"label": "Buy", "link": "https://shop.example.com/buy"}],
}


async def message(pushes: Pushes, **change: Any) -> int:
    body = {"channel": "webpush", "name": "Push", "content": {**CARD, **change}}
    made = await pushes.api.post("/api/v4/messages", body)
    assert made.status_code == 201, made.text
    return int(made.json()["message_id"])


async def everybody(pushes: Pushes) -> int:
    contacts = await pushes.shop.sql("select contact_id from contact where org_id = %(org)s")
    return await pushes.shop.segment(f"everybody {secrets.token_hex(4)}", [row[0] for row in contacts])


async def launched(pushes: Pushes) -> Campaign:
    return await pushes.shop.launch(
        (await pushes.shop.campaign(await message(pushes), [await everybody(pushes)])).campaign_id
    )


async def test_a_broadcast_with_a_domain_reaches_its_browsers(pushes: Pushes) -> None:
    tokens = {await pushes.subscribe() for _ in range(3)}
    body = {"messageId": await message(pushes), "groups": [await everybody(pushes)], "domain": SITE}
    made = await pushes.api.post("/api/v1/broadcast", body)
    assert made.status_code == 200, made.text
    await pushes.shop.launch_due()
    await pushes.shop.run_sender()
    assert {one.path[1:] for one in pushes.service.arrived} == tokens
    for card, one in zip(pushes.shown(), pushes.service.arrived, strict=True):
        assert one.headers["urgency"] == "high"
        assert (card["es_title"], card["es_content"], card["image"]) == ("Sale", "50 %", CARD["imageSource"])
        assert card["es_link"].startswith("http://perigee.test/c/")
        assert card["es_link_raw"] == CARD["link"]
        (button,) = card["es_buttons"]
        assert button["title"] == "Buy"
        assert button["link"].startswith("http://perigee.test/c/")
    report = await pushes.shop.report(int(made.json()["broadcastId"]))
    assert (report.chosen, report.sent) == (3, 3)


async def test_what_the_worker_reports_finds_the_message_that_was_sent(pushes: Pushes) -> None:
    token = await pushes.subscribe()
    await launched(pushes)
    await pushes.shop.run_sender()
    (card,) = pushes.shown()
    body = {"site": pushes.key, "token": token, "interactionId": card["es_interaction_id"]}
    for status in ("DELIVERED", "CLICKED"):
        answer = await pushes.api.post(
            "/webpush/reports", {**body, "status": status}, key="", headers={"origin": SITE}
        )
        assert answer.status_code < 300, answer.text
    statuses = await pushes.shop.sql("select status from activity where org_id = %(org)s")
    assert {status for (status,) in statuses} >= {"DELIVERED", "CLICKED"}


@pytest.mark.parametrize("status", [404, 410])
async def test_a_browser_that_is_gone_loses_its_token(pushes: Pushes, status: int) -> None:
    gone, stays = await pushes.subscribe(), await pushes.subscribe()
    pushes.service.answer(f"/{gone}", status)
    campaign = await launched(pushes)
    contact = await pushes.contact(gone)
    await pushes.shop.run_sender()
    assert await pushes.tokens() == {stays}
    assert (await pushes.shop.outcomes(campaign.campaign_id))[contact] == ("failed", "no_such_recipient")
    assert await pushes.shop.value("select count(*) from webpush_subscription where org_id = %(org)s") == 1


@pytest.mark.parametrize("status", [400, 401, 403, 406, 413, 429, 500])
async def test_no_other_answer_costs_a_token(pushes: Pushes, status: int) -> None:
    token = await pushes.subscribe()
    pushes.service.answer(f"/{token}", status)
    await launched(pushes)
    await pushes.shop.run_sender()
    assert await pushes.tokens() == {token}


async def test_a_service_that_was_busy_gets_the_message_later(pushes: Pushes) -> None:
    token = await pushes.subscribe()
    pushes.service.answer(f"/{token}", 429, Retry_After="600")
    campaign = await launched(pushes)
    await pushes.shop.run_sender()
    (wait,) = await pushes.shop.sql(
        "select extract(epoch from due_at - now()) from send_retry where org_id = %(org)s"
    )
    assert wait[0] > 400
    await pushes.shop.retry_now()
    await pushes.shop.run_sender()
    assert (await pushes.shop.report(campaign.campaign_id)).sent == 1
    first, second = pushes.service.arrived
    assert first.headers["topic"] == second.headers["topic"]


@pytest.mark.parametrize("status", [400, 403, 413])
async def test_refusals_that_are_our_fault_stop_the_campaign(pushes: Pushes, status: int) -> None:
    for _ in range(12):
        pushes.service.answer(f"/{await pushes.subscribe()}", status, "BadJwtToken")
    campaign = await launched(pushes)

    async def paused() -> bool:
        return (await pushes.shop.get(campaign.campaign_id)).state == "paused"

    async with pushes.shop.sending():
        await until(paused)
    assert len(await pushes.tokens()) == 12
    assert "BadJwtToken" in str((await pushes.shop.get(campaign.campaign_id)).error)


async def test_a_single_message_is_sent_by_its_token(pushes: Pushes) -> None:
    token, _ = await pushes.subscribe(), await pushes.subscribe()
    body = {"recipients": [{"locator": token}], "email": False}
    answer = await pushes.api.post(f"/api/v1/message/{await message(pushes)}/smartsend", body)
    assert answer.status_code == 200, answer.text
    await pushes.shop.run_sender()
    assert [one.path[1:] for one in pushes.service.arrived] == [token]


async def test_the_channel_is_built_in_as_soon_as_there_is_a_domain(pushes: Pushes) -> None:
    async with pushes.api.db.connection() as connection:
        assert await pick_provider(connection, pushes.api.org_id, "webpush") == WEB_PUSH.provider_id
    await pushes.shop.sql("delete from webpush_domain where org_id = %(org)s")
    async with pushes.api.db.connection() as connection:
        sandbox = await pick_provider(connection, pushes.api.org_id, "webpush")
    assert sandbox > 0
    await pushes.shop.sql("delete from provider where org_id = %(org)s")
    async with pushes.api.db.connection() as connection:
        with pytest.raises(Invalid, match="no provider is set up for webpush"):
            await pick_provider(connection, pushes.api.org_id, "webpush")


async def test_nobody_sets_it_up_with_networks_of_their_own(pushes: Pushes) -> None:
    body = {"channel": "webpush", "kind": "webpush", "name": "x", "settings": {"networks": "10.0.0.0/8"}}
    answer = await pushes.api.post("/api/v4/providers", body)
    assert (answer.status_code, answer.json()["field"]) == (400, "kind")
