"""POST v1/message/{id}/smartsend (contract 19.1)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest

from perigee.bounces import verp
from perigee.keys import Keys
from perigee.lib.ids import read_message_uuid
from perigee.sending.tests.conftest import EMAIL, Sending, html, requests, results
from perigee.testing.api import SECRET, make_organisation


async def test_one_recipient_is_answered_as_in_the_documentation(sending: Sending) -> None:
    answer = await sending.smart(
        await sending.template(),
        {"locator": "anna@example.com", "jsonParam": '{"discount":"5%"}', "externalRequestId": "order-77"},
        email=True,
        fromName=None,
        campaignId=7,
        allowUnconfirmed=True,
    )
    (request_id,) = requests(answer)
    assert answer.json() == {
        "id": "0",
        "results": {"id": "0", "locator": "anna@example.com", "status": "OK", "requestId": request_id},
    }
    (mail,) = await sending.mails()
    assert "Discount 5%" in html(mail)
    assert mail["To"] == "anna@example.com"
    _, send_id, ordinal, _ = verp.read(Keys.of(SECRET).bounces, mail["Message-ID"][1:].partition("@")[0])
    assert read_message_uuid(Keys.of(SECRET).message_ids, sending.api.org_id, UUID(request_id)) == (
        send_id,
        ordinal,
    )


async def test_several_recipients_fail_one_by_one(sending: Sending) -> None:
    answer = await sending.smart(
        await sending.template(),
        {"locator": "anna@example.com"},
        {"locator": "anna@@example.com"},
        {"jsonParam": "{}"},
        {"locator": "bo@example.com", "jsonParam": "[1]"},
        {"locator": "cy@example.com", "jsonParam": "{oops"},
        {"email": "old@example.com"},
    )
    assert answer.json()["id"] == 0
    anna, at, nobody, array, broken, old = results(answer)
    assert anna == {"id": 0, "locator": "anna@example.com", "status": "OK", "requestId": anna["requestId"]}
    assert at == {
        "id": 0,
        "locator": "anna@@example.com",
        "status": "ERROR",
        "message": "'anna@@example.com' is not valid email",
    }
    assert nobody["status"] == array["status"] == broken["status"] == "ERROR"
    assert "locator" in nobody["message"]
    assert "jsonParam" in array["message"]
    assert "jsonParam" in broken["message"]
    assert old["status"] == "OK"
    assert [mail["To"] for mail in await sending.mails()] == ["anna@example.com", "old@example.com"]


async def test_a_call_of_nothing_but_errors_is_200_and_sends_nothing(sending: Sending) -> None:
    answer = await sending.smart(await sending.template(), {"locator": "bad"})
    assert results(answer) == [
        {"id": "0", "locator": "bad", "status": "ERROR", "message": "'bad' is not valid email"}
    ]
    assert await sending.shop.sql("select 1 from send where org_id = %(org)s") == []


async def test_always_arrays_is_a_switch_of_the_organisation(sending: Sending) -> None:
    await sending.shop.sql(
        "update organisation set settings = settings || '{\"always_arrays\": true}' where org_id = %(org)s"
    )
    answer = await sending.smart(await sending.template(), {"locator": "anna@example.com"})
    assert answer.json()["id"] == 0
    assert isinstance(answer.json()["results"], list)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 400, "recipients"),
        ({"recipients": []}, 400, "recipients"),
        (
            {"recipients": [{"locator": f"a{n}@example.com"} for n in range(1001)]},
            400,
            "1001 are more than 1000",
        ),
        ({"recipients": [{"locator": "a@example.com"}], "fromName": "a\u2028b" + "x" * 200}, 400, "fromName"),
    ],
)
async def test_what_is_wrong_with_the_call_is_named(
    sending: Sending, body: Any, status: int, words: str
) -> None:
    message_id = await sending.template()
    answer = await sending.api.post(f"/api/v1/message/{message_id}/smartsend", body)
    assert answer.status_code == status, answer.text
    assert words in answer.json()["message"]
    assert await sending.shop.sql("select 1 from send where org_id = %(org)s") == []


async def test_an_unknown_or_foreign_template_is_404(sending: Sending) -> None:
    message_id = await sending.template()
    assert (await sending.smart(999, {"locator": "a@example.com"})).status_code == 404
    _, key = await make_organisation(sending.api.db, "Other")
    answer = await sending.api.post(
        f"/api/v1/message/{message_id}/smartsend", {"recipients": [{"locator": "a@example.com"}]}, key=key
    )
    assert answer.status_code == 404


async def test_people_are_named_by_id_and_by_external_id(sending: Sending) -> None:
    anna = await sending.shop.person("anna@example.com", first_name="Anna")
    bo = await sending.shop.person("Bo@example.com", external_id="CRM-7", first_name="Bo")
    mute = await sending.shop.person(phone="380501112233")
    answer = await sending.smart(
        await sending.template(),
        {"contactId": str(anna)},
        {"externalCustomerId": "CRM-7"},
        {"contactId": mute},
        {"contactId": 5},
        {"externalCustomerId": "nobody"},
    )
    first, second, no_email, *nobody = results(answer)
    assert (first["locator"], second["locator"]) == ("anna@example.com", "bo@example.com")
    assert no_email["message"] == f"Contact with id='{mute}' has no email"
    assert [one["message"] for one in nobody] == [
        "Contact with id='5' is not found",
        "Contact with externalCustomerId='nobody' is not found",
    ]
    mails = await sending.mails()
    assert [(mail["To"], mail["Subject"]) for mail in mails] == [
        ("anna@example.com", "Hello Anna"),
        ("Bo@example.com", "Hello Bo"),
    ]
    rows = await sending.shop.sql("select contact_id from delivery where org_id = %(org)s order by ordinal")
    assert rows == [(anna,), (bo,)]


async def test_an_unknown_address_becomes_a_confirmed_contact_with_that_channel_only(
    sending: Sending,
) -> None:
    assert results(await sending.smart(await sending.template(), {"locator": "New@Example.com"}))
    assert await sending.shop.sql(
        "select c.email, c.phone, c.first_name, c.source, a.confirmed, a.spelling from contact c"
        " join address a using (org_id) where c.org_id = %(org)s and a.value = c.email"
    ) == [("new@example.com", None, None, "send", True, "New@example.com")]


async def test_a_known_contact_is_not_changed_by_a_message(sending: Sending) -> None:
    await sending.shop.person("anna@example.com", first_name="Anna")
    before = await sending.shop.sql("select * from contact where org_id = %(org)s")
    await sending.smart(await sending.template(), {"locator": "anna@example.com"})
    assert await sending.shop.sql("select * from contact where org_id = %(org)s") == before


async def test_the_version_is_that_of_the_call_then_of_the_person(sending: Sending) -> None:
    message_id = await sending.shop.message(
        versions={"en": {"subject": "Hello"}, "uk": {"subject": "Вітаємо"}, "de": {"subject": "Hallo"}}
    )
    await sending.shop.person("uk@example.com", language="uk")
    await sending.smart(
        message_id,
        {"locator": "uk@example.com"},
        {"locator": "uk@example.com", "languageCode": "de-AT"},
        {"locator": "new@example.com", "languageCode": "xx"},
    )
    assert [mail["Subject"] for mail in await sending.mails()] == ["Вітаємо", "Hallo", "Hello"]


async def test_equal_recipients_are_one_message_and_different_data_are_two(sending: Sending) -> None:
    one = {"locator": "anna@example.com", "jsonParam": {"discount": "5%"}}
    answer = await sending.smart(
        await sending.template(), one, one, {"locator": "anna@example.com", "jsonParam": {"discount": "9%"}}
    )
    first, second, third = requests(answer)
    assert first == second != third
    assert [("5%" in html(mail), "9%" in html(mail)) for mail in await sending.mails()] == [
        (True, False),
        (False, True),
    ]
    assert [one["status"] for one in await sending.status(first, third)] == ["DELIVERED", "DELIVERED"]


async def test_a_senders_name_of_the_call_replaces_the_templates(sending: Sending) -> None:
    message_id = await sending.template()
    await sending.smart(message_id, {"locator": "a@example.com"}, fromName='Anna "the shop"')
    await sending.smart(message_id, {"locator": "a@example.com"})
    assert [mail["From"].addresses[0].display_name for mail in await sending.mails()] == [
        'Anna "the shop"',
        "Example Shop",
    ]
    forged = await sending.smart(message_id, {"locator": "a@example.com"}, fromName="ceo@bank.example")
    assert forged.status_code == 400
    text = await sending.template("sms", **{"from": "Shop", "text": "Hi"})
    await sending.smart(text, {"locator": "+38 (050) 111-22-33"}, fromName="Other")
    assert (await sending.arrived())[-1] == ("380501112233", "Other", "Hi")


async def test_without_categories_only_the_blacklist_holds(sending: Sending) -> None:
    message_id = await sending.template()
    for name, column in (("u", "unsubscribed_at"), ("c", "complained_at"), ("b", "blacklisted_at")):
        await sending.shop.person(f"{name}@example.com")
        await sending.shop.mark(f"{name}@example.com", column)
    answer = await sending.smart(message_id, *({"locator": f"{name}@example.com"} for name in "ucb"))
    mails = await sending.mails()
    assert [mail["To"] for mail in mails] == ["u@example.com", "c@example.com"]
    assert all(mail["List-Unsubscribe"] is None for mail in mails)
    states = await sending.status(*requests(answer))
    assert [one["status"] for one in states] == ["DELIVERED", "DELIVERED", "BLACKLISTED"]


async def test_with_categories_consent_holds(sending: Sending) -> None:
    people = {name: await sending.shop.person(f"{name}@example.com") for name in ("in", "out", "gone", "new")}
    segment = await sending.shop.segment("News", [people["in"], people["gone"], people["new"]])
    await sending.shop.sql(
        "insert into subscription_category (org_id, key, name, segment_id) values (%(org)s, 'news', 'News', %(s)s)",
        s=segment,
    )
    await sending.shop.mark("gone@example.com", "unsubscribed_at")
    await sending.shop.sql(
        "update address set confirmed = false where org_id = %(org)s and value = 'new@example.com'"
    )
    message_id = await sending.shop.message(versions={"en": EMAIL}, categories=["news"])
    answer = await sending.smart(message_id, *({"locator": f"{name}@example.com"} for name in people))
    (mail,) = await sending.mails()
    assert mail["To"] == "in@example.com"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    states = await sending.status(*requests(answer))
    assert [one["status"] for one in states] == ["DELIVERED", "UNSUBSCRIBED", "UNSUBSCRIBED", "NOT_CONFIRMED"]


async def test_what_others_read_of_a_message_is_kept(sending: Sending) -> None:
    message_id = await sending.template()
    await sending.shop.sql("update message set tags = '{promo,welcome}' where org_id = %(org)s")
    await sending.smart(
        message_id,
        {"locator": "a@example.com", "externalRequestId": 77, "jsonParam": {"discount": "5%"}},
        {"locator": "b@example.com"},
    )
    ((kind, sender, tags, sent, chosen),) = await sending.shop.sql(
        "select kind, sender, tags, message_id, chosen from send where org_id = %(org)s"
    )
    assert (kind, sender, tags, sent, chosen) == (
        "single",
        EMAIL["from"],
        ["promo", "welcome"],
        message_id,
        2,
    )
    assert await sending.shop.sql(
        "select ordinal, external_request_id, language, data from send_recipient where org_id = %(org)s"
    ) == [(0, "77", None, {"discount": "5%"})]


async def test_the_content_of_a_template_is_kept_once(sending: Sending) -> None:
    message_id = await sending.template()
    for _ in range(3):
        await sending.smart(message_id, {"locator": "a@example.com"})
    assert await sending.shop.value("select count(*) from send where org_id = %(org)s") == 3
    assert await sending.shop.value("select count(*) from send_content where org_id = %(org)s") == 1
    assert await sending.shop.value("select count(*) from content_link where org_id = %(org)s") == 1


async def test_messages_of_calls_do_not_wait_behind_campaigns(sending: Sending) -> None:
    await sending.shop.started(await sending.shop.people(600), batch_size=100)
    await sending.smart(await sending.template(), {"locator": "a@example.com"})
    await sending.shop.run_sender()
    sent = await sending.shop.sql(
        "select address from sandbox_message where org_id = %(org)s order by sandbox_id"
    )
    assert sent.index(("a@example.com",)) < 200


async def test_the_number_of_statements_does_not_depend_on_the_recipients(
    sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 0
    execute = psycopg.AsyncCursor.execute

    async def counted(self: Any, *args: Any, **more: Any) -> Any:
        nonlocal count
        count += 1
        return await execute(self, *args, **more)

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", counted)
    message_id = await sending.template()
    await sending.smart(message_id, {"locator": "first@example.com", "jsonParam": {"n": 0}})
    counts = []
    for size in (2, 200):
        before = count
        people = [{"locator": f"p{size}-{n}@example.com", "jsonParam": {"n": n}} for n in range(size)]
        assert len(requests(await sending.smart(message_id, *people))) == size
        counts.append(count - before)
    assert counts[1] <= counts[0] < 20


async def test_only_a_key_for_messages_sends(sending: Sending) -> None:
    message_id = await sending.template()
    await sending.shop.sql("update api_key set access = 'events_contacts' where org_id = %(org)s")
    assert (await sending.smart(message_id, {"locator": "a@example.com"})).status_code == 403
