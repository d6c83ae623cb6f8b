"""POST v1/message/email, sms and viber: messages that are no templates (contract 19.2 to 19.4)."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.sending.tests.conftest import Sending, html, requests, results

MAIL = {
    "from": '"Example Shop" <news@example.com>',
    "subject": "Receipt for %FIRSTNAME|you%",
    "htmlText": '<p>Thanks</p><a href="https://shop.example.com/a">Shop</a>',
    "plainText": "Thanks in text",
    "emails": ["anna@example.com"],
    "tags": ["receipt"],
}
SMS = {"from": "EXAMPLE", "text": "Code 1234 https://shop.example.com/a", "phoneNumbers": ["380501112233"]}
VIBER = {
    "from": "EXAMPLE",
    "text": "Sale https://shop.example.com/a",
    "iosExpirityText": "The offer has expired",
    "phoneNumbers": ["380501112233"],
    "ttlSeconds": 3600,
}


async def test_an_email_goes_to_everybody_named(sending: Sending) -> None:
    answer = await sending.api.post(
        "/api/v1/message/email",
        {
            **MAIL,
            "emails": ["anna@example.com", "bad"],
            "externalRequestId": "r-1",
            "ampHtmlText": "<p>AMP</p>",
        },
    )
    good, bad = results(answer)
    assert (good["status"], bad["message"]) == ("OK", "'bad' is not valid email")
    (mail,) = await sending.mails()
    assert mail["Subject"] == "Receipt for you"
    parts = {part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()}
    assert "Thanks in text" in parts["text/plain"]
    assert "AMP" in parts["text/x-amp-html"]
    assert 'href="http://perigee.test/c/' in parts["text/html"]
    ((message_id, tags, external),) = await sending.shop.sql(
        "select s.message_id, s.tags, r.external_request_id from send s join send_recipient r using (org_id, send_id)"
        " where s.org_id = %(org)s"
    )
    assert (message_id, tags, external) == (None, ["receipt"], "r-1")
    ((email,),) = await sending.shop.sql("select email from contact where org_id = %(org)s")
    assert email == "anna@example.com"


async def test_links_are_tracked_unless_the_call_says_no(sending: Sending) -> None:
    await sending.api.post("/api/v1/message/email", {**MAIL, "trackUrls": "false"})
    (mail,) = await sending.mails()
    assert 'href="https://shop.example.com/a"' in html(mail)


async def test_velocity_is_recognised(sending: Sending) -> None:
    members = {
        **MAIL,
        "subject": "Hello $!data.get('FIRSTNAME')",
        "htmlText": "<p>#if(1 == 1)yes#{else}no#end</p>",
    }
    await sending.shop.person("anna@example.com", first_name="Anna")
    await sending.api.post("/api/v1/message/email", members)
    (mail,) = await sending.mails()
    assert mail["Subject"] == "Hello Anna"
    assert "<p>yes</p>" in html(mail)


async def test_without_personalisation_everything_is_text(sending: Sending) -> None:
    members = {**MAIL, "subject": "%FIRSTNAME|you%", "htmlText": "<p>{{ a }} {% if %}</p>"}
    await sending.api.post("/api/v1/message/email", {**members, "skipPersonalisation": True})
    (mail,) = await sending.mails()
    assert mail["Subject"] == "%FIRSTNAME|you%"
    assert "{{ a }} {% if %}" in html(mail)


@pytest.mark.parametrize("spelling", ["subscriptionsKeys", "subscriptionKeys"])
async def test_categories_are_honoured_in_both_spellings(sending: Sending, spelling: str) -> None:
    segment = await sending.shop.segment("News", [])
    await sending.shop.sql(
        "insert into subscription_category (org_id, key, name, segment_id) values (%(org)s, 'news', 'News', %(s)s)",
        s=segment,
    )
    answer = await sending.api.post("/api/v1/message/email", {**MAIL, spelling: ["news"]})
    assert await sending.mails() == []
    assert (await sending.status(*requests(answer)))["status"] == "UNSUBSCRIBED"
    unknown = await sending.api.post("/api/v1/message/email", {**MAIL, spelling: ["nothing"]})
    assert unknown.status_code == 400


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("email", {**MAIL, "from": None}, "from"),
        ("email", {**MAIL, "from": "news@example.com"}, "from"),
        ("email", {**MAIL, "subject": None}, "subject"),
        ("email", {**MAIL, "htmlText": None}, "htmlText"),
        ("email", {**MAIL, "emails": []}, "emails"),
        ("email", {**MAIL, "htmlText": "{% if %}"}, "htmlText"),
        ("sms", {**SMS, "from": None}, "from"),
        ("sms", {**SMS, "text": None}, "text"),
        ("sms", {**SMS, "phoneNumbers": None}, "phoneNumbers"),
        ("sms", {**SMS, "tags": [{}]}, "tags"),
        ("viber", {**VIBER, "text": None}, "text"),
        ("viber", {**VIBER, "iosExpirityText": None}, "iosExpirityText"),
        ("viber", {**VIBER, "phoneNumbers": []}, "phoneNumbers"),
        ("viber", {**VIBER, "img": "https://a.example/i.png"}, "img"),
        ("viber", {**VIBER, "ttlSeconds": 0}, "ttlSeconds"),
    ],
)
async def test_what_is_missing_or_wrong_is_named_and_nothing_is_sent(
    sending: Sending, path: str, body: Any, field: str
) -> None:
    answer = await sending.api.post(f"/api/v1/message/{path}", body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["field"] == field
    assert await sending.shop.sql("select 1 from send where org_id = %(org)s") == []


async def test_an_sms_goes_to_numbers_with_its_links_as_they_are(sending: Sending) -> None:
    answer = await sending.api.post(
        "/api/v1/message/sms", {**SMS, "phoneNumbers": ["+380 50 111 22 33", "12"]}
    )
    good, bad = results(answer)
    assert (good["locator"], good["status"]) == ("+380 50 111 22 33", "OK")
    assert bad["message"] == "'12' is not valid phone number"
    assert await sending.arrived() == [("380501112233", "EXAMPLE", "Code 1234 https://shop.example.com/a")]


async def test_links_of_an_sms_are_tracked_on_demand(sending: Sending) -> None:
    await sending.api.post("/api/v1/message/sms", {**SMS, "trackUrls": True})
    ((_, _, text),) = await sending.arrived()
    assert text.startswith("Code 1234 http://perigee.test/s/")


async def test_a_viber_message_keeps_its_members(sending: Sending) -> None:
    picture = {"img": "https://a.example/i.png", "caption": "Open", "action": "https://shop.example.com/b"}
    await sending.api.post("/api/v1/message/viber", {**VIBER, **picture})
    ((address, sender, card),) = await sending.arrived()
    assert (address, sender) == ("380501112233", "EXAMPLE")
    assert card["text"].startswith("Sale http://perigee.test/s/")
    assert card["action"].startswith("http://perigee.test/s/")
    assert {name: card[name] for name in ("img", "caption", "ttlSec", "iosExpirityText")} == {
        "img": "https://a.example/i.png",
        "caption": "Open",
        "ttlSec": 3600,
        "iosExpirityText": "The offer has expired",
    }


async def test_a_viber_message_may_come_from_the_one_sender_there_is(sending: Sending) -> None:
    await sending.api.post("/api/v4/senders", {"channel": "viber", "value": "ONLY"})
    body = {name: value for name, value in VIBER.items() if name != "from"}
    assert results(await sending.api.post("/api/v1/message/viber", {**body, "trackUrls": False}))
    ((_, sender, card),) = await sending.arrived()
    assert sender == "ONLY"
    assert card["text"] == VIBER["text"]
    await sending.api.post("/api/v4/senders", {"channel": "viber", "value": "SECOND"})
    assert (await sending.api.post("/api/v1/message/viber", body)).status_code == 400


async def test_a_viber_message_of_an_organisation_without_senders_comes_under_its_name(
    sending: Sending,
) -> None:
    body = {name: value for name, value in VIBER.items() if name != "from"}
    assert results(await sending.api.post("/api/v1/message/viber", body))
    ((_, sender, _),) = await sending.arrived()
    assert sender == (await sending.shop.sql("select name from organisation where org_id = %(org)s"))[0][0]


async def test_a_segment_gets_one_copy_per_number(sending: Sending) -> None:
    people = [await sending.shop.person(phone=number) for number in ("380501112233", "380501112244")]
    twin = await sending.shop.person(phone="380501112233")
    mute = await sending.shop.person("a@example.com")
    group = await sending.shop.segment("All", [*people, twin, mute])
    body = {"from": "EXAMPLE", "text": "Hi", "groupId": group}
    first, second, third, fourth = results(await sending.api.post("/api/v1/message/sms", body))
    assert (first["locator"], second["locator"]) == ("380501112233", "380501112244")
    assert third["requestId"] == first["requestId"]
    assert fourth["message"] == f"Contact with id='{mute}' has no phone"
    assert [address for address, _, _ in await sending.arrived()] == ["380501112233", "380501112244"]


async def test_unknown_and_empty_segments(sending: Sending) -> None:
    body = {"from": "EXAMPLE", "text": "Hi"}
    unknown = await sending.api.post("/api/v1/message/sms", {**body, "groupId": 999})
    assert unknown.status_code == 404
    empty = await sending.shop.segment("Empty", [])
    answer = await sending.api.post("/api/v1/message/sms", {**body, "groupId": empty})
    assert answer.json() == {"id": 0, "results": []}
