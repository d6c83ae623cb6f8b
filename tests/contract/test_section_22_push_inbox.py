"""Contract section 22 on the wire: tokens of phones and chats, reports of pushes, App Inbox."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from perigee.appinbox.tests.conftest import Inbox
from perigee.push.interactions.tests.test_interactions import TOKEN, Phone
from perigee.testing.api import Api
from perigee.testing.sending import Shop
from perigee.testing.wire import empty, ok, refused, sentence

APP = "11111111-2222-4333-8444-555555555555"
ACTIVATED = f"/api/v1/contact/token/activated/{APP}"
CHATS = {"tokens": [{"token": "555000111", "externalCustomerId": "CRM-1001", "phone": "380501112233"}]}
MESSAGES = "/appinbox/v1/messages"


async def add(api: Api, *channels: Any, **more: Any) -> int:
    return int(ok(await api.post("/api/v1/contact", {"channels": list(channels), **more})).json()["id"])


@pytest.mark.parametrize("token", ["fcm-token-1", "dJ:a-b_c:1"])
async def test_a_token_is_asked_for_and_switched_whatever_signs_it_holds(api: Api, token: str) -> None:
    await add(api, {"type": "mobilepush", "value": token, "device": {"appId": APP, "os": "Android"}})
    path = f"{ACTIVATED}/{token}"
    assert ok(await api.get(path)).json() == {"active": True}
    for active in (False, True):
        assert ok(await api.put(path, {"active": active})).json() == {"active": active}
        assert ok(await api.get(path)).json() == {"active": active}


async def test_an_unknown_token_is_404(api: Api) -> None:
    refused(await api.get(f"{ACTIVATED}/unknown"), 404)
    refused(await api.put(f"{ACTIVATED}/unknown", {"active": False}), 404)


@pytest.fixture
async def bot(api: Api) -> Api:
    made = await api.post("/api/v4/apps", {"kind": "telegram", "name": "Bot", "app_id": APP})
    assert made.status_code == 201
    return api


async def channels(api: Api, contact_id: int) -> list[tuple[str, str]]:
    read = ok(await api.get(f"/api/v1/contact/{contact_id}")).json()
    return [(one["type"], one["value"]) for one in read["channels"]]


async def holder(api: Api, token: str) -> int:
    query = "select contact_id from push_token where org_id = %(org_id)s and token = %(token)s"
    ((contact_id,),) = await api.rows(query, token=token)
    return int(contact_id)


async def test_the_example_of_chat_tokens_makes_a_contact_with_all_identifiers(bot: Api) -> None:
    assert sentence(await bot.post(f"/api/v1/apps/{APP}/tokens", CHATS))
    made = await holder(bot, "555000111")
    assert await channels(bot, made) == [("sms", "380501112233"), ("telegram", "555000111")]
    read = ok(await bot.get(f"/api/v1/contact/{made}")).json()
    assert read["externalCustomerId"] == "CRM-1001"


async def test_a_known_contact_gets_the_token_beside_the_older_and_keeps_identifiers(bot: Api) -> None:
    anna = await add(bot, {"type": "email", "value": "anna@example.com"}, externalCustomerId="CRM-1001")
    for token in ("1", "2"):
        given = {"token": token, "externalCustomerId": "CRM-1001", "phone": "380509999999"}
        ok(await bot.post(f"/api/v1/apps/{APP}/tokens", {"tokens": [given]}))
    assert await channels(bot, anna) == [
        ("email", "anna@example.com"),
        ("telegram", "1"),
        ("telegram", "2"),
    ]


async def test_the_search_goes_by_contact_id_external_id_phone_email(bot: Api) -> None:
    by_email = await add(bot, {"type": "email", "value": "anna@example.com"})
    by_phone = await add(bot, {"type": "sms", "value": "380501112233"})
    by_external = await add(bot, {"type": "email", "value": "x@example.com"}, externalCustomerId="CRM-1001")
    by_id = await add(bot, {"type": "email", "value": "i@example.com"})
    who: dict[str, Any] = {"email": "anna@example.com"}
    for member, value, expected in (
        ("email", "anna@example.com", by_email),
        ("phone", "380501112233", by_phone),
        ("externalCustomerId", "CRM-1001", by_external),
        ("contactId", by_id, by_id),
    ):
        who[member] = value
        ok(await bot.post(f"/api/v1/apps/{APP}/tokens", {"tokens": [{"token": member, **who}]}))
        assert await holder(bot, member) == expected


@pytest.mark.parametrize("given", [{"token": "1"}, {"email": "anna@example.com"}])
async def test_a_token_and_one_identifier_are_required(bot: Api, given: Any) -> None:
    refused(await bot.post(f"/api/v1/apps/{APP}/tokens", {"tokens": [given]}))


async def silence(api: Api) -> datetime | None:
    ((until,),) = await api.rows("select muted_until from push_token where org_id = %(org_id)s")
    return until  # type: ignore[no-any-return]  # a timestamptz


@pytest.mark.parametrize("duration", [5, 3600, 31_536_000])
async def test_a_chat_is_muted_for_a_time_and_unmuted(bot: Api, duration: int) -> None:
    ok(await bot.post(f"/api/v1/apps/{APP}/tokens", CHATS))
    path = f"/api/v1/apps/{APP}/token"
    ok(await bot.post(f"{path}/mute", {"token": "555000111", "duration": duration}))
    until = await silence(bot)
    assert until is not None
    assert abs(until - datetime.now(UTC) - timedelta(seconds=duration)) < timedelta(seconds=30)
    ok(await bot.post(f"{path}/unmute", {"token": "555000111"}))
    assert await silence(bot) is None


async def test_without_a_duration_it_is_for_ever(bot: Api) -> None:
    ok(await bot.post(f"/api/v1/apps/{APP}/tokens", CHATS))
    ok(await bot.post(f"/api/v1/apps/{APP}/token/mute", {"token": "555000111"}))
    query = (
        "select (muted_until at time zone 'UTC')::text from push_token"
        " where org_id = %(org_id)s and muted_until is not null"
    )
    assert await bot.rows(query) == [("9999-12-31 23:59:59",)]


@pytest.mark.parametrize("duration", [4, 31_536_001, 0, -1, 1.5, "soon"])
async def test_a_duration_out_of_range_is_refused_in_the_words_of_the_wire(bot: Api, duration: Any) -> None:
    ok(await bot.post(f"/api/v1/apps/{APP}/tokens", CHATS))
    answer = await bot.post(f"/api/v1/apps/{APP}/token/mute", {"token": "555000111", "duration": duration})
    assert refused(answer).startswith("Duration must be positive integer")
    assert await silence(bot) is None


@pytest.mark.parametrize("verb", ["mute", "unmute"])
async def test_refusals_of_muting_are_in_the_words_of_the_wire(bot: Api, verb: str) -> None:
    other = "99999999-2222-4333-8444-555555555555"
    body = {"token": "555000111"}
    assert refused(await bot.post(f"/api/v1/apps/7/token/{verb}", body)) == "Wrong app uuid"
    assert refused(await bot.post(f"/api/v1/apps/{APP}/token/{verb}", {})) == "Token must be specified"
    found = await bot.post(f"/api/v1/apps/{other}/token/{verb}", body)
    assert refused(found, 404) == "Not registered application"


async def test_a_muted_chat_is_out_of_campaigns_but_gets_what_is_sent_to_it(bot: Api) -> None:
    ok(await bot.post(f"/api/v1/apps/{APP}/tokens", CHATS))
    ok(await bot.post(f"/api/v1/apps/{APP}/token/mute", {"token": "555000111"}))
    shop = Shop(bot.db, bot.org_id)
    await shop.started(
        [await holder(bot, "555000111")], channel="telegram", versions={"en": {"text": "Sale"}}
    )
    await shop.run_sender()
    arrived = "select count(*) from sandbox_message where org_id = %(org)s"
    assert await shop.value(arrived) == 0
    made = ok(await bot.post("/api/v1/messages/telegram", {"name": "Hello", "text": "Your code"}))
    people = {"recipients": [{"locator": "555000111"}], "email": False}
    ok(await bot.post(f"/api/v1/message/{made.json()['id']}/smartsend", people))
    await shop.run_sender()
    assert await shop.value(arrived) == 1


@pytest.fixture
async def phone(api: Api) -> Phone:
    phone = await Phone.of(api)
    await phone.ledger()
    return phone


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ("DELIVERED", "DELIVERED"),
        ("OPENED", "READ"),
        ("CLICKED", "CLICKED"),
        ("UNDELIVERED", "UNDELIVERED"),
    ],
)
async def test_the_report_of_a_push_becomes_activity(phone: Phone, status: str, shown: str) -> None:
    body = {"token": TOKEN, "status": status, "time": "2025-05-04T15:11:17"}
    empty(await phone.api.put(f"/api/v1/interactions/{phone.iid}/status", body))
    assert await phone.activities() == [(shown, phone.anna)]


async def test_a_report_about_nothing_is_refused(phone: Phone) -> None:
    unknown = "/api/v1/interactions/99d591ab-0000-4000-8000-000000000001/status"
    refused(await phone.api.put(unknown, {"token": TOKEN, "status": "OPENED"}), 404)
    path = f"/api/v1/interactions/{phone.iid}/status"
    refused(await phone.api.put(path, {"token": TOKEN, "status": "SEEN"}))
    refused(await phone.api.put(path, {"status": "OPENED"}))
    assert await phone.activities() == []


WHO = {"email": "anna@example.com", "phone": "380501112233", "externalCustomerId": "CRM-1001"}


@pytest.fixture
async def inbox(api: Api) -> Inbox:
    return Inbox(api)


@pytest.fixture
async def anna(inbox: Inbox) -> int:
    return await inbox.contact(email="anna@example.com", phone="380501112233", external_id="CRM-1001")


@pytest.mark.parametrize(
    "who",
    [WHO, *({name: value} for name, value in WHO.items()), {"extid": "CRM-1001"}],
)
async def test_any_identifier_of_a_contact_gets_a_token(inbox: Inbox, anna: int, who: Any) -> None:
    answer = ok(await inbox.api.post("/api/v1/auth/contact/token", who)).json()
    assert set(answer) == {"token"}
    assert ok(await inbox.get(f"{MESSAGES}/count", answer["token"])).json() == {"count": 0}


async def test_an_unknown_contact_gets_an_empty_token(inbox: Inbox, anna: int) -> None:
    answer = ok(await inbox.api.post("/api/v1/auth/contact/token", {"email": "nobody@example.com"}))
    assert answer.json() == {"token": ""}


async def test_a_token_needs_an_identifier_and_an_api_key(inbox: Inbox, anna: int) -> None:
    refused(await inbox.api.post("/api/v1/auth/contact/token", {}))
    refused(await inbox.api.post("/api/v1/auth/contact/token", WHO, key=""), 401)


def turned(answer: httpx.Response, used: str) -> str:
    token = ok(answer).headers["ES-TOKEN"]
    assert token not in ("", used)
    return str(token)


async def test_the_inbox_is_counted_listed_and_opened_with_a_token_that_changes(
    inbox: Inbox, anna: int
) -> None:
    before = datetime.now(UTC) - timedelta(seconds=5)
    message_id = await inbox.put(
        anna,
        title="A gift",
        text="You have 50 points",
        imageSource="https://shop.example.com/b.png",
        link="https://shop.example.com/bonus",
        customData='{"category":"bonus"}',
    )
    token = await inbox.token(**WHO)
    counted = await inbox.get(f"{MESSAGES}/count", token)
    assert counted.json() == {"count": 1}
    token = turned(counted, token)
    listed = await inbox.get(f"{MESSAGES}?page=0&pageSize=20&status=UNOPENED", token)
    token = turned(listed, token)
    (message,) = listed.json()["list"]
    created = message.pop("createdDate")
    assert isinstance(created, int)
    assert before < datetime.fromtimestamp(created / 1000, UTC) < datetime.now(UTC) + timedelta(seconds=5)
    assert str(UUID(message["id"])) == message["id"] == message_id
    assert listed.json()["totalPages"] == 1
    assert message == {
        "id": message_id,
        "title": "A gift",
        "content": "You have 50 points",
        "image": "https://shop.example.com/b.png",
        "link": "https://shop.example.com/bonus",
        "newMessage": True,
        "status": "UNOPENED",
        "category": "bonus",
        "customData": '{"category":"bonus"}',
    }
    opened = await inbox.post({"status": "OPENED", "ids": [message_id]}, token)
    token = turned(opened, token)
    assert opened.content == b""
    for status, count in (("OPENED", 1), ("UNOPENED", 0)):
        answer = await inbox.get(f"{MESSAGES}?status={status}", token)
        assert len(answer.json()["list"]) == count
        token = turned(answer, token)
    assert (await inbox.get(f"{MESSAGES}/count", token)).json() == {"count": 0}


async def test_null_ids_open_all_and_without_parameters_all_are_listed(inbox: Inbox, anna: int) -> None:
    for number in range(21):
        await inbox.put(anna, title=str(number))
    first = await inbox.get(f"{MESSAGES}?page=1&pageSize=20", await inbox.token(**WHO))
    assert [one["title"] for one in first.json()["list"]] == ["0"]
    assert first.json()["totalPages"] == 2
    opened = await inbox.post({"status": "OPENED", "ids": None}, first.headers["ES-TOKEN"])
    listed = await inbox.get(MESSAGES, opened.headers["ES-TOKEN"])
    assert {one["status"] for one in listed.json()["list"]} == {"OPENED"}
    assert len(listed.json()["list"]) == 21


async def test_an_old_token_is_401_and_a_new_one_is_fetched(inbox: Inbox, anna: int) -> None:
    first = await inbox.token(**WHO)
    second = turned(await inbox.get(f"{MESSAGES}/count", first), first)
    turned(await inbox.get(f"{MESSAGES}/count", second), second)
    for dead in (first, "", "nonsense"):
        assert json.loads(ok(await inbox.get(f"{MESSAGES}/count", dead), 401).text)["status"] == 401
    turned(await inbox.get(f"{MESSAGES}/count", await inbox.token(**WHO)), first)


async def test_pages_of_a_site_may_send_and_read_the_token(inbox: Inbox, anna: int) -> None:
    origin = {"origin": "https://shop.example.com"}
    asked = await inbox.api.call(
        "OPTIONS",
        f"{MESSAGES}/count",
        key="",
        headers={**origin, "access-control-request-headers": "es-token"},
    )
    assert asked.status_code == 200
    assert "es-token" in asked.headers["access-control-allow-headers"].lower()
    answer = await inbox.api.get(
        f"{MESSAGES}/count", key="", headers={**origin, "ES-TOKEN": await inbox.token(**WHO)}
    )
    assert "es-token" in answer.headers["access-control-expose-headers"].lower()
