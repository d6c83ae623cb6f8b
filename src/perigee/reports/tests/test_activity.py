"""The activity feed over the wire (contract 11.3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from perigee.db.pool import Database
from perigee.reports.tests.conftest import Books
from perigee.testing.api import Api, make_organisation


async def test_a_click_shows_every_member_of_the_message_it_was_in(books: Books) -> None:
    anna = await books.person("anna@example.com", external_id="CRM-1001")
    send = await books.send(tags=("promo", "welcome"), name="Welcome")
    await books.ledger(send, anna, "anna@example.com", ordinal=7)
    await books.sql(
        "insert into send_recipient (org_id, send_id, ordinal, contact_id, external_request_id)"
        " values (%(org)s, %(s)s, 7, %(c)s, 'order-77')",
        s=send,
        c=anna,
    )
    await books.did("CLICKED", send, anna, ordinal=7, minute=3, detail="https://shop.example.com/sale")
    (row,) = await books.feed()
    offset, link = row.pop("offset"), row.pop("viewMessageLink")
    assert row == {
        "iid": books.iid(send, 7),
        "externalRequestId": "order-77",
        "contactId": anna,
        "externalCustomerId": "CRM-1001",
        "email": "anna@example.com",
        "mediaType": "email",
        "activityStatus": "CLICKED",
        "messageId": 2345001,
        "messageInstanceId": send,
        "messageName": "Welcome",
        "messageTag": "promo,welcome",
        "messageLanguageCode": "en",
        "activityDateTime": "2026-03-10T09:03:00",
        "clickEventLink": "https://shop.example.com/sale",
        "statusData": {},
        "broadcastId": 3459001,
        "from": '"Example Shop" <news@shop.example.com>',
    }
    assert len(offset) == 36
    assert link.startswith("http://perigee.test/v/")


async def test_a_real_campaign_is_in_the_feed_and_its_link_opens_the_message(books: Books) -> None:
    people = [await books.person("anna@example.com", first_name="Anna"), await books.person("bo@example.com")]
    campaign = await books.started(people)
    await books.run_sender()
    today = datetime.now(UTC).date()
    rows = await books.feed(dateFrom=str(today - timedelta(days=1)), dateTo=str(today + timedelta(days=1)))
    assert {(row["contactId"], row["activityStatus"], row["email"]) for row in rows} == {
        (people[0], "DELIVERED", "anna@example.com"),
        (people[1], "DELIVERED", "bo@example.com"),
    }
    assert {row["broadcastId"] for row in rows} == {campaign.campaign_id}
    assert {row["from"] for row in rows} == {'"Example Shop" <news@shop.example.com>'}
    link = next(row["viewMessageLink"] for row in rows if row["contactId"] == people[0])
    page = await books.api.call("GET", link.removeprefix("http://perigee.test"), key="")
    assert page.status_code == 200
    assert "Dear Anna" in page.text


@pytest.mark.parametrize(
    "path",
    [
        "/api/v2/contacts/activity",
        "/api/v1/contacts/activity",
        "/api/v1/contactActivity/",
        "/api/contactActivity/",
    ],
)
async def test_every_address_of_the_method_gives_the_same(books: Books, path: str) -> None:
    anna = await books.person("anna@example.com")
    await books.did("READ", await books.send(), anna)
    assert await books.feed(path) == await books.feed() != []


async def test_the_address_stands_in_the_member_of_its_channel(books: Books) -> None:
    anna = await books.person("anna@example.com", phone="380501112233")
    wanted = {
        "sms": ("sms", "380501112233"),
        "viber": ("sms", "380501112233"),
        "webpush": ("webPushToken", "web-1"),
        "mobilepush": ("mobPushToken", "mob-1"),
        "telegram": (None, "555000111"),
    }
    for minute, (channel, (_, address)) in enumerate(wanted.items()):
        send = await books.send(channel, minute=minute, sender="Shop")
        await books.ledger(send, anna, address, minute=minute)
        await books.did("DELIVERED", send, anna, minute=minute, channel=channel)
    rows = await books.feed()
    assert [row["mediaType"] for row in rows] == ["sms", "viber", "webpush", "mobilepush", "telegrambot"]
    for row, (member, address) in zip(rows, wanted.values(), strict=True):
        found = {name: row[name] for name in ("email", "sms", "webPushToken", "mobPushToken") if name in row}
        assert found == ({member: address} if member else {})
        assert "viewMessageLink" not in row
        assert row["from"] == "Shop"


async def test_a_description_goes_with_what_was_not_delivered_and_with_nothing_else(books: Books) -> None:
    anna = await books.person("anna@example.com")
    send = await books.send()
    await books.did("UNDELIVERED", send, anna, detail="550 5.1.2 no such domain")
    await books.did("READ", send, anna, minute=1, detail="x")
    first, second = await books.feed()
    assert first["statusDescription"] == "550 5.1.2 no such domain"
    assert "statusDescription" not in second
    assert "clickEventLink" not in second


async def test_tests_and_messages_without_a_template_have_no_ids(books: Books) -> None:
    anna = await books.person("anna@example.com")
    test = await books.send(kind="test", campaign_id=None)
    single = await books.send(kind="single", campaign_id=None, message_id=None, name="", minute=1)
    await books.did("READ", test, anna)
    await books.did("READ", single, anna, minute=1)
    for row in await books.feed():
        assert (row["messageId"], row["messageInstanceId"], row["messageName"]) == (0, 0, "")
        assert "broadcastId" not in row


async def test_a_change_of_categories_tells_which_there_are_now(books: Books) -> None:
    anna = await books.person("anna@example.com", external_id="CRM-1")
    for name in ("News", "Promo"):
        assert (await books.api.post("/api/v4/categories", {"name": name})).status_code < 300
    path = f"/api/v1/contact/{anna}/subscriptions"
    for keys in (["news", "promo"], ["news"], ["news"], []):
        assert (await books.api.put(path, {"subscriptions": keys})).status_code == 200
    today = datetime.now(UTC).date()
    rows = await books.feed(dateFrom=str(today - timedelta(days=1)), dateTo=str(today + timedelta(days=1)))
    assert [row["statusData"]["subscription"]["subscriptions"] for row in rows] == [
        ["news", "promo"],
        ["news"],
        [],
    ]
    for row in rows:
        assert (row["activityStatus"], row["mediaType"]) == ("SUBSCRIPTION_CHANGED", "email")
        assert (row["contactId"], row["email"], row["externalCustomerId"]) == (
            anna,
            "anna@example.com",
            "CRM-1",
        )
        assert (row["messageId"], row["messageInstanceId"]) == (0, 0)
    assert len({row["iid"] for row in rows}) == 3


async def test_who_has_only_a_phone_changes_categories_by_phone(books: Books) -> None:
    bo = await books.person(phone="380501112233")
    await books.api.post("/api/v4/categories", {"name": "News"})
    await books.api.put(f"/api/v1/contact/{bo}/subscriptions", {"subscriptions": ["news"]})
    today = datetime.now(UTC).date()
    (row,) = await books.feed(dateFrom=str(today - timedelta(days=1)), dateTo=str(today + timedelta(days=1)))
    assert (row["mediaType"], row["sms"]) == ("sms", "380501112233")


@pytest.fixture
async def crowd(books: Books) -> Books:
    """Anna and Bo: each got two emails, one of them tagged, and an SMS; Anna read and clicked, Bo's bounced."""
    anna = await books.person("anna@example.com", phone="380501112233")
    bo = await books.person("bo@example.com", phone="380501112244")
    for minute, tags in ((0, ("promo",)), (10, ())):
        send = await books.send(minute=minute, tags=tags)
        for ordinal, (who, address) in enumerate(((anna, "anna@example.com"), (bo, "bo@example.com"))):
            await books.ledger(send, who, address, ordinal=ordinal, minute=minute)
        await books.did("DELIVERED", send, anna, ordinal=0, minute=minute)
        await books.did("UNDELIVERED", send, bo, ordinal=1, minute=minute + 1)
        await books.did("READ", send, anna, ordinal=0, minute=minute + 2)
        await books.did("CLICKED", send, anna, ordinal=0, minute=minute + 3)
    sms = await books.send("sms", minute=20, sender="Shop")
    for ordinal, (who, address) in enumerate(((anna, "380501112233"), (bo, "380501112244"))):
        await books.ledger(sms, who, address, ordinal=ordinal, minute=20)
        await books.did("DELIVERED", sms, who, ordinal=ordinal, minute=20, channel="sms")
    return books


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 10),
        ({"email": "ANNA@example.com"}, 6),
        ({"email": "anna@example.com", "activityStatus": "read"}, 2),
        ({"email": "nobody@example.com"}, 0),
        ({"email": "no address"}, 0),
        ({"sms": "+38 050 111-22-33"}, 1),
        ({"sms": "380501112233", "email": "anna@example.com"}, 0),
        ({"webPushToken": "web-1"}, 0),
        ({"messageTag": "promo"}, 4),
        ({"messageTag": "promo", "activityStatus": "UNDELIVERED"}, 1),
        ({"messageTag": "promo", "email": "bo@example.com"}, 1),
        ({"messageTag": "prom"}, 0),
        ({"activityStatus": "DELIVERED"}, 4),
        ({"activityStatus": "CLICKED"}, 2),
        ({"activityStatus": "SPAM"}, 0),
        ({"activityStatus": "", "email": " "}, 10),
        ({"maxrows": 3}, 3),
        ({"dateFrom": "2026-03-10T09:10", "dateTo": "2026-03-10T09:13"}, 3),
        ({"dateFrom": "2026-03-11"}, 0),
    ],
)
async def test_filters_hold_together(crowd: Books, query: dict[str, Any], count: int) -> None:
    rows = await crowd.feed(**query)
    assert len(rows) == count
    assert rows == sorted(rows, key=lambda row: row["offset"])


async def test_pages_meet_without_gap_or_overlap(crowd: Books) -> None:
    everything = await crowd.feed()
    for size in (1, 3, 10, 25_000, 10**9):
        seen: list[dict[str, Any]] = []
        while page := await crowd.feed(maxrows=size, **({"offset": seen[-1]["offset"]} if seen else {})):
            seen += page
        assert seen == everything


async def test_pages_of_a_filter_meet_too(crowd: Books) -> None:
    for query in ({"email": "anna@example.com"}, {"activityStatus": "READ"}, {"messageTag": "promo"}):
        everything = await crowd.feed(**query)
        seen: list[dict[str, Any]] = []
        while page := await crowd.feed(
            **query, maxrows=1, **({"offset": seen[-1]["offset"]} if seen else {})
        ):
            seen += page
        assert seen == everything


async def test_rows_that_arrive_meanwhile_follow_and_move_nothing(crowd: Books) -> None:
    first = await crowd.feed(maxrows=10)
    await crowd.did("READ", await crowd.send(minute=30), first[0]["contactId"], minute=30)
    (new,) = await crowd.feed(offset=first[-1]["offset"])
    assert new["activityDateTime"] == "2026-03-10T09:30:00"


async def test_an_address_finds_what_was_sent_to_it_not_what_its_owner_gets_elsewhere(books: Books) -> None:
    anna = await books.person("anna@example.com")
    old = await books.send()
    await books.ledger(old, anna, "anna@old.example.com")
    await books.did("READ", old, anna)
    new = await books.send(minute=1)
    await books.ledger(new, anna, "anna@example.com")
    await books.did("READ", new, anna, minute=1)
    (row,) = await books.feed(email="anna@old.example.com")
    assert (row["iid"], row["email"]) == (books.iid(old), "anna@old.example.com")
    (row,) = await books.feed(email="anna@example.com")
    assert row["iid"] == books.iid(new)


async def test_tokens_find_messages_on_their_own_channel(books: Books) -> None:
    anna = await books.person("anna@example.com")
    for channel in ("webpush", "mobilepush"):
        send = await books.send(channel)
        await books.ledger(send, anna, "the-token")
        await books.did("SENT", send, anna, channel=channel)
    (row,) = await books.feed(mobPushToken="the-token")
    assert row["mediaType"] == "mobilepush"
    (row,) = await books.feed(webPushToken="the-token")
    assert row["mediaType"] == "webpush"


async def test_hits_of_machines_and_of_erased_people_stay_out(books: Books) -> None:
    anna = await books.person("anna@example.com")
    send = await books.send()
    await books.ledger(send, anna, "anna@example.com")
    await books.did("READ", send, anna, meta={"machine": "scanner"})
    await books.did("READ", send, 0)
    assert await books.feed() == []
    assert await books.feed(email="anna@example.com") == []


async def test_a_deleted_person_keeps_the_rows_and_an_erased_one_loses_them(books: Books) -> None:
    anna = await books.person("anna@example.com")
    send = await books.send()
    await books.ledger(send, anna, "anna@example.com")
    await books.did("READ", send, anna)
    await books.api.delete(f"/api/v1/contact/{anna}")
    assert [row["contactId"] for row in await books.feed()] == [anna]
    await books.api.delete(f"/api/v1/contact/{anna}?erase=true")
    assert await books.feed() == []


async def test_times_are_those_of_the_organisation(books: Books) -> None:
    await books.sql("update organisation set time_zone = 'Asia/Tokyo' where org_id = %(org)s")
    anna = await books.person("anna@example.com")
    await books.did("READ", await books.send(), anna, minute=6 * 60)  # midnight in Tokyo
    (row,) = await books.feed(dateFrom="2026-03-11", dateTo="2026-03-11")
    assert row["activityDateTime"] == "2026-03-11T00:00:00"
    assert await books.feed(dateFrom="2026-03-10", dateTo="2026-03-10") == []


async def test_a_row_of_another_organisation_is_never_seen(books: Books, db: Database, api: Api) -> None:
    anna = await books.person("anna@example.com")
    send = await books.send()
    await books.ledger(send, anna, "anna@example.com")
    await books.did("READ", send, anna)
    _, key = await make_organisation(db, "Other Shop")
    for query in ("", "&email=anna@example.com", "&activityStatus=READ"):
        answer = await api.get(
            f"/api/v2/contacts/activity?dateFrom=2026-03-01&dateTo=2026-03-31{query}", key=key
        )
        assert answer.json() == []


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("dateTo=2026-03-31", "dateFrom: is required"),
        ("dateFrom=2026-03-01", "dateTo: is required"),
        ("dateFrom=2026-03-02&dateTo=2026-03-01", "is before dateFrom"),
        ("dateFrom=2026-01-01&dateTo=2026-04-02", "more than 3 months"),
        (
            "dateFrom=2026-03-01&dateTo=2026-03-31&activityStatus=OPENED",
            "activityStatus: 'OPENED' is not one of",
        ),
        ("dateFrom=2026-03-01&dateTo=2026-03-31&offset=17", "offset: '17' is not the offset of a row"),
        ("dateFrom=2026-03-01&dateTo=2026-03-31&maxrows=0", "maxrows: '0'"),
        ("dateFrom=2026-03-01&dateTo=2026-03-31&maxrows=many", "maxrows: 'many' is not a whole number"),
    ],
)
async def test_bad_input_is_named(api: Api, query: str, words: str) -> None:
    answer = await api.get(f"/api/v2/contacts/activity?{query}")
    assert answer.status_code == 400
    assert words in answer.json()["message"]


async def test_where_the_feature_is_off_the_answer_is_the_known_sentence(books: Books) -> None:
    await books.sql(
        "update organisation set settings = '{\"contact_activity\": false}' where org_id = %(org)s"
    )
    answer = await books.api.get("/api/v2/contacts/activity?dateFrom=2026-03-01&dateTo=2026-03-31")
    assert (answer.status_code, answer.json()["message"]) == (
        400,
        "Contact support to enable ContactActivity.",
    )


async def test_a_row_that_is_still_being_written_is_waited_for(books: Books, db: Database) -> None:
    """A cursor that went beyond it would never see it."""
    anna = await books.person("anna@example.com")
    send = await books.send()
    insert = (
        "insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status)"
        " values (%s, clock_timestamp(), %s, 0, %s, 'email', %s)"
    )
    today = datetime.now(UTC).date()
    period = {"dateFrom": str(today - timedelta(days=1)), "dateTo": str(today + timedelta(days=1))}
    async with db.connection() as slow, slow.transaction():
        await slow.execute(insert, (books.org_id, send, anna, "READ"))
        async with db.connection() as fast:
            await fast.execute(insert, (books.org_id, send, anna, "CLICKED"))
        assert await books.feed(**period) == []
    rows = await books.feed(**period)
    assert [row["activityStatus"] for row in rows] == ["READ", "CLICKED"]
