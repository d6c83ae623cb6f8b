"""What clients in general were seen to send or to need, and no story of one client tells."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from perigee.testing.api import Api
from perigee.testing.line import Line, Reply, basic

APP = "11111111-2222-3333-4444-555555555555"
EMAIL = {"name": "Hello", "from": '"Shop" <news@example.com>', "subject": "Hi", "htmlText": "<p>Hi</p>"}


class Wire:
    def __init__(self, host: str, key: str) -> None:
        self.line = Line(host, Authorization=basic("", key), Content_Type="application/json")

    async def __call__(self, method: str, path: str, body: Any = None) -> Reply:
        return await self.line.call(
            method, f"/api/v1/{path}", None if body is None else json.dumps(body).encode()
        )

    async def add(self, name: str, **more: Any) -> int:
        contact = {"channels": [{"type": "email", "value": f"{name}@example.com"}], **more}
        reply = await self("POST", "contact", contact)
        assert reply.status == 200, reply.text
        return int(reply.json()["id"])


@pytest.fixture
def wire(api: Api, host: str) -> Wire:
    return Wire(host, api.key)


@pytest.mark.parametrize("form", ["ids={0},{1}", "ids={0},%20{1}", "ids={0}&ids={1}", "ids={0},{1},999999"])
async def test_lists_of_ids_come_in_every_form_and_unknown_ones_are_left_out(wire: Wire, form: str) -> None:
    ids = [await wire.add("anna"), await wire.add("bo")]
    results = (await wire("GET", "contacts/email?" + form.format(*ids))).json()["results"]
    assert results == [
        {"contactId": ids[0], "email": "anna@example.com"},
        {"contactId": ids[1], "email": "bo@example.com"},
    ]


async def test_numeric_texts_are_ids_in_requests(wire: Wire) -> None:
    contact_id = await wire.add("anna", groups=[{"name": "News"}])
    (group,) = (await wire("GET", "groups?name=News")).json()
    detach = await wire("POST", f"group/{group['id']}/contacts/detach", {"contactIds": [str(contact_id)]})
    assert detach.text == "Contacts were detached"
    assert (await wire("GET", f"group/{group['id']}/contacts")).json() == []
    message_id = (await wire("POST", "messages/email", EMAIL)).json()["id"]
    broadcast = {"messageId": str(message_id), "groups": [str(group["id"])], "startDate": "2099-01-01T00:00"}
    answer = (await wire("POST", "broadcast", broadcast)).json()
    assert (answer["messageId"], answer["groupId"]) == (str(message_id), str(group["id"]))


async def test_members_that_are_not_known_are_passed_over(wire: Wire) -> None:
    contact_id = await wire.add(
        "anna", email="x@example.com", phone="1", id=7, address={"town": "Exampleton", "countryCode": "UA"}
    )
    read = (await wire("GET", f"contact/{contact_id}")).json()
    assert read["id"] == contact_id
    assert read["channels"] == [{"type": "email", "value": "anna@example.com"}]
    assert read["address"] == {"region": "", "town": "Exampleton", "address": "", "postcode": ""}


async def test_members_without_a_value_are_left_out_of_answers(wire: Wire) -> None:
    contact_id = await wire.add("anna", lastName=None, fields=[], address=None)
    read = (await wire("GET", f"contact/{contact_id}")).json()
    assert None not in read.values()
    assert (
        not {"lastName", "address", "externalCustomerId", "languageCode", "timeZone", "ordersInfo"}
        & read.keys()
    )


@pytest.mark.parametrize(
    "moment",
    ["2025-03-08T09:30", "2025-03-08T09:30:00", "2025-03-08T09:30:00Z", "2025-03-08T09:30:00+03:00",
     "2025-03-08T09:30:00.123Z", "2025-03-08T09:30:00.123456+03:00", "2025-03-08T09:30:11.7022176+03:00"],
)  # fmt: skip
async def test_moments_in_every_form_that_was_seen(wire: Wire, moment: str) -> None:
    order = {
        "externalOrderId": "SO-1",
        "externalCustomerId": "1",
        "totalCost": 1,
        "status": "DELIVERED",
        "date": moment,
    }
    assert (await wire("POST", "orders", {"orders": [order]})).body == b""


@pytest.mark.parametrize("value", [9.5, None, {"a": 1}, [1, "two"], True])
async def test_values_of_the_first_events_may_be_any_json(api: Api, wire: Wire, value: Any) -> None:
    event = {
        "eventTypeKey": "Замовлення сплачено",
        "keyValue": "1",
        "params": [{"name": "x", "value": value}],
    }
    assert (await wire("POST", "event", event)).body == b""
    assert await api.rows("select params -> 'x' from event where org_id = %(org_id)s") == [(value,)]


@pytest.mark.parametrize("external_id", ["", "  ", "null"])
async def test_an_external_id_of_nothing_is_ignored_in_an_event(
    api: Api, wire: Wire, external_id: str
) -> None:
    params = [
        {"name": "externalCustomerId", "value": external_id},
        {"name": "email", "value": "anna@example.com"},
    ]
    assert (await wire("POST", "event", {"eventTypeKey": "basket", "params": params})).body == b""
    assert await api.rows("select event_key from event where org_id = %(org_id)s") == [("anna@example.com",)]


@pytest.mark.parametrize("kind", ["mobilepush", "webpush"])
async def test_people_are_matched_by_their_tokens(api: Api, wire: Wire, kind: str) -> None:
    more = {"device": {"appId": APP, "os": "Android"}} if kind == "mobilepush" else {}
    channel = {"type": kind, "value": "token-1", **more}
    for name in ("Anna", "Hanna"):
        body = {"dedupeOn": kind, "contacts": [{"firstName": name, "channels": [channel]}]}
        assert (await wire("POST", "contacts", body)).status == 200
        await api.run_jobs()
    assert await api.rows("select first_name from contact where org_id = %(org_id)s") == [("Hanna",)]


async def test_an_empty_list_of_categories_removes_all(api: Api, wire: Wire) -> None:
    made = (await api.post("/api/v4/categories", {"name": "News"})).json()
    path = f"contact/{await wire.add('anna')}/subscriptions"
    for keys in ([made["key"]], []):
        assert (await wire("PUT", path, {"subscriptions": keys})).status == 200
        assert [one["key"] for one in (await wire("GET", path)).json()] == keys


async def test_a_template_needs_a_senders_name_and_shows_its_plain_text(wire: Wire) -> None:
    refused = await wire("POST", "messages/email", {**EMAIL, "from": "news@example.com"})
    assert (refused.status, "from" in refused.json()["message"]) == (400, True)
    message_id = (await wire("POST", "messages/email", {**EMAIL, "plainText": "Hi in text"})).json()["id"]
    assert (await wire("GET", f"messages/email/{message_id}")).json()["plainText"] == "Hi in text"


async def test_a_fault_of_ours_is_a_500_to_try_again_in_the_envelope(api: Api, wire: Wire) -> None:
    await api.rows("alter table contact rename to contact_away")
    reply = await wire("GET", "contacts")
    assert (reply.status, reply.json()["status"]) == (500, 500)
    assert "contact_away" not in reply.text
    await api.rows("alter table contact_away rename to contact")
    assert (await wire("GET", "contacts")).status == 200


async def test_calls_on_one_kept_connection_are_answered_with_the_length_of_each_body(
    api: Api, host: str
) -> None:
    """PHP's curl keeps its connection: two calls on one line, each answer with the length of its body."""
    address = host.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(address[0], int(address[1]))
    credentials = f"Authorization: {basic('', api.key)}\r\n"
    event = b'{"eventTypeKey":"basket","keyValue":"1"}'
    for head, body, status in (
        ("POST /api/v1/event/ HTTP/1.1", event, b"HTTP/1.1 200 "),
        ("GET /api/v1/contacts HTTP/1.1", b"[]", b"HTTP/1.1 200 "),
    ):
        lines = f"{head}\r\nHost: x\r\n{credentials}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(lines.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(status)
        length = int(answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
    assert b"\r\nTotalCount: 0\r\n" in answer
    writer.close()
    await writer.wait_closed()
