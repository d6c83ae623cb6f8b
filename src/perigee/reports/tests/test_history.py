"""A contact's message history over the wire (contract 11.4)."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.db.pool import Database
from perigee.reports.history import FURTHEST, furthest
from perigee.reports.tests.conftest import Books
from perigee.testing.api import Api, make_organisation
from perigee.testing.sending import SMS

WEEK = "dateFrom=2026-03-01&dateTo=2026-03-31"


async def test_an_email_shows_every_member_with_its_subject_as_it_was_read(books: Books) -> None:
    anna = await books.person("anna@example.com", first_name="Anna")
    send = await books.send(tags=("promo",))
    await books.ledger(send, anna, "anna@example.com", minute=1)
    await books.did("DELIVERED", send, anna, minute=1)
    await books.did("READ", send, anna, minute=9)
    (row,) = await books.history(contactId=anna)
    assert row.pop("viewMessageLink").startswith("http://perigee.test/v/")
    assert row == {
        "contactId": anna,
        "email": "anna@example.com",
        "messageId": 2345001,
        "messageInstanceId": send,
        "messageTags": ["promo"],
        "channelType": "email",
        "sentDateTime": "2026-03-10T09:01:00",
        "activityStatus": "READ",
        "from": "news@shop.example.com",
        "subject": "News for Anna",
    }


async def test_a_short_message_has_phone_and_text_with_the_callers_data_and_untracked_links(
    books: Books,
) -> None:
    bo = await books.person(phone="380501112233", first_name="Bo")
    text = {
        "from": "Shop",
        "text": "Hi %FIRSTNAME%, code {{ code }} at https://shop.example.com/a",
        "trackUrls": True,
    }
    send = await books.send("sms", kind="single", campaign_id=None, sender="Shop", versions={"en": text})
    await books.ledger(send, bo, "380501112233")
    await books.sql(
        "insert into send_recipient (org_id, send_id, ordinal, contact_id, data)"
        ' values (%(org)s, %(s)s, 0, %(c)s, \'{"code": "X7"}\')',
        s=send,
        c=bo,
    )
    (row,) = await books.history(phone="+38 (050) 111-22-33")
    assert row == {
        "contactId": bo,
        "phone": "380501112233",
        "messageId": 2345001,
        "messageInstanceId": send,
        "messageTags": [],
        "channelType": "sms",
        "sentDateTime": "2026-03-10T09:00:00",
        "activityStatus": "DELIVERED",
        "from": "Shop",
        "text": "Hi Bo, code X7 at https://shop.example.com/a",
    }


async def test_the_words_are_those_of_the_language_that_was_sent(books: Books) -> None:
    anna = await books.person("anna@example.com", language="en")
    versions = {"en": {"subject": "Hello"}, "uk": {"subject": "Вітаємо"}}
    send = await books.send(versions=versions)
    await books.ledger(send, anna, "anna@example.com", language="uk")
    other = await books.send(versions=versions, minute=1)
    await books.ledger(other, anna, "anna@example.com", language=None, minute=1)
    assert [row["subject"] for row in await books.history(contactId=anna)] == ["Hello", "Вітаємо"]


async def test_words_that_do_not_compile_are_shown_as_they_were_written(books: Books) -> None:
    anna = await books.person("anna@example.com")
    send = await books.send(versions={"en": {"subject": "{% if %}"}})
    await books.ledger(send, anna, "anna@example.com")
    assert [row["subject"] for row in await books.history(contactId=anna)] == ["{% if %}"]


async def test_without_personalisation_nothing_in_the_words_is_code(books: Books) -> None:
    anna = await books.person("anna@example.com", first_name="Anna")
    send = await books.send(versions={"en": {"subject": "%FIRSTNAME%"}}, personalise=False)
    await books.ledger(send, anna, "anna@example.com")
    assert [row["subject"] for row in await books.history(contactId=anna)] == ["%FIRSTNAME%"]


async def test_tests_and_messages_without_a_template_have_no_ids(books: Books) -> None:
    anna = await books.person("anna@example.com")
    kinds: list[dict[str, Any]] = [{"kind": "test"}, {"kind": "single", "message_id": None}]
    for minute, facts in enumerate(kinds):
        send = await books.send(minute=minute, **facts)
        await books.ledger(send, anna, "anna@example.com", minute=minute)
    for row in await books.history(contactId=anna):
        assert (row["messageId"], row["messageInstanceId"]) == (0, 0)


async def test_the_person_is_named_in_one_of_four_ways(books: Books) -> None:
    anna = await books.person("anna@example.com", phone="380501112233", external_id="CRM-1")
    send = await books.send()
    await books.ledger(send, anna, "anna@example.com")
    for way in (
        {"contactId": anna},
        {"externalCustomerId": "CRM-1"},
        {"email": "Anna@Example.com"},
        {"phone": "+380501112233"},
    ):
        assert [row["contactId"] for row in await books.history(**way)] == [anna]


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("", 400, "none is given, exactly one is required"),
        ("&contactId=&email=%20", 400, "none is given"),
        ("&contactId=1&email=a@example.com", 400, "several are given"),
        ("&contactId=abc", 400, "contactId: 'abc' is not a whole number"),
        ("&contactId=5", 404, "is not found"),
        ("&email=nobody@example.com", 404, "is not found"),
        ("&email=no+address", 404, "is not found"),
        ("&externalCustomerId=CRM-9", 404, "is not found"),
        ("&contactId=5&channelTypes=email,fax", 400, "channelTypes: 'fax' is not one of"),
        ("&contactId=5&offset=-1", 400, "offset: '-1'"),
        ("&contactId=5&maxrows=0", 400, "maxrows: '0'"),
    ],
)
async def test_bad_input_is_named(api: Api, query: str, status: int, words: str) -> None:
    answer = await api.get(f"/api/v2/contacts/messages?{WEEK}{query}")
    assert answer.status_code == status, answer.text
    assert words in answer.json()["message"]


async def test_both_dates_are_required(api: Api) -> None:
    answer = await api.get("/api/v2/contacts/messages?contactId=1&dateFrom=2026-03-01")
    assert (answer.status_code, answer.json()["message"]) == (400, "dateTo: is required")


@pytest.fixture
async def dozen(books: Books) -> tuple[Books, int]:
    """Anna and her 120 messages, one a minute: email, SMS and Telegram in turn."""
    anna = await books.person("anna@example.com", phone="380501112233")
    sends = [
        await books.send("email"),
        await books.send("sms", versions={"en": SMS}),
        await books.send("telegram", versions={"en": {"text": "Hi"}}, sender=""),
    ]
    for minute in range(120):
        await books.ledger(sends[minute % 3], anna, None, ordinal=minute, minute=minute)
    return books, anna


async def test_ten_rows_unless_told_otherwise_and_never_more_than_a_hundred(dozen: tuple[Books, int]) -> None:
    books, anna = dozen
    assert len(await books.history(contactId=anna)) == 10
    assert len(await books.history(contactId=anna, maxrows=17)) == 17
    assert len(await books.history(contactId=anna, maxrows=5000)) == 100


async def test_the_newest_is_first_and_pages_by_offset_meet(dozen: tuple[Books, int]) -> None:
    books, anna = dozen
    everything = await books.history(contactId=anna, maxrows=100)
    everything += await books.history(contactId=anna, maxrows=100, offset=100)
    times = [row["sentDateTime"] for row in everything]
    assert len(times) == 120
    assert times == sorted(times, reverse=True)
    pages = [await books.history(contactId=anna, maxrows=25, offset=skip) for skip in range(0, 125, 25)]
    assert [row for page in pages for row in page] == everything


async def test_only_the_channels_that_are_asked_for(dozen: tuple[Books, int]) -> None:
    books, anna = dozen
    rows = await books.history(contactId=anna, channelTypes="sms, telegrambot", maxrows=100)
    assert {row["channelType"] for row in rows} == {"sms", "telegrambot"}
    assert len(rows) == 80
    rows = await books.history(contactId=anna, channelTypes="EMAIL", maxrows=100)
    assert {row["channelType"] for row in rows} == {"email"}


async def test_only_messages_of_the_period(dozen: tuple[Books, int]) -> None:
    books, anna = dozen
    rows = await books.history(contactId=anna, dateFrom="2026-03-10T10:00", dateTo="2026-03-10T10:05")
    assert [row["sentDateTime"][11:16] for row in rows] == ["10:04", "10:03", "10:02", "10:01", "10:00"]


async def test_who_was_dropped_got_no_message_and_an_uncertain_one_may_have(books: Books) -> None:
    anna = await books.person("anna@example.com")
    for ordinal, outcome in enumerate(("sent", "failed", "dropped", "uncertain")):
        send = await books.send(minute=ordinal)
        await books.ledger(send, anna, "anna@example.com", ordinal=ordinal, minute=ordinal, outcome=outcome)
    statuses = [row["activityStatus"] for row in await books.history(contactId=anna)]
    assert statuses == ["SENT", "UNDELIVERED", "DELIVERED"]


@pytest.mark.parametrize(
    ("outcome", "channel", "happened", "status"),
    [
        ("sent", "email", [], "DELIVERED"),
        ("sent", "mobilepush", [], "SENT"),
        ("sent", "mobilepush", ["SENT", "DELIVERED"], "DELIVERED"),
        ("uncertain", "email", [], "SENT"),
        ("uncertain", "email", ["READ"], "READ"),
        ("failed", "email", ["UNDELIVERED"], "UNDELIVERED"),
        ("sent", "email", ["DELIVERED", "UNDELIVERED"], "UNDELIVERED"),
        ("sent", "email", ["CLICKED", "READ", "DELIVERED"], "CLICKED"),
        ("sent", "email", ["UNSUBSCRIBED", "CLICKED"], "UNSUBSCRIBED"),
        ("sent", "email", list(FURTHEST), "SPAM"),
    ],
)
def test_the_furthest_status_counts(outcome: str, channel: str, happened: list[str], status: str) -> None:
    assert furthest(outcome, channel, happened) == status


async def test_what_machines_did_is_no_status(books: Books) -> None:
    anna = await books.person("anna@example.com")
    send = await books.send()
    await books.ledger(send, anna, "anna@example.com")
    await books.did("CLICKED", send, anna, meta={"machine": "scanner"})
    assert [row["activityStatus"] for row in await books.history(contactId=anna)] == ["DELIVERED"]


async def test_status_is_of_the_message_not_of_its_send(books: Books) -> None:
    """One person may get two messages of one send."""
    anna = await books.person("anna@example.com")
    send = await books.send()
    for ordinal, address in enumerate(("a@example.com", "b@example.com")):
        await books.ledger(send, anna, address, ordinal=ordinal, minute=ordinal)
    await books.did("READ", send, anna, ordinal=1, minute=5)
    rows = await books.history(contactId=anna)
    assert [(row["email"], row["activityStatus"]) for row in rows] == [
        ("b@example.com", "READ"),
        ("a@example.com", "DELIVERED"),
    ]


async def test_another_organisation_does_not_know_the_person(books: Books, db: Database, api: Api) -> None:
    anna: Any = await books.person("anna@example.com")
    await books.ledger(await books.send(), anna, "anna@example.com")
    _, key = await make_organisation(db, "Other Shop")
    answer = await api.get(f"/api/v2/contacts/messages?{WEEK}&contactId={anna}", key=key)
    assert answer.status_code == 404
