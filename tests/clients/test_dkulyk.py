"""The PHP library of dkulyk: login and password, every answer goes through a JSON decoder, 404 is null.

It throws on members of a contact that it does not know, looks `TotalCount` up as it is spelt, names the params of an
event `parameters` and the locator of a recipient `email`.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from perigee.testing.api import Api
from perigee.testing.line import Line, basic

KNOWN = {
    "id",
    "firstName",
    "lastName",
    "channels",
    "address",
    "fields",
    "addressBookId",
    "contactKey",
    "groups",
}
ANNA = {
    "id": None, "firstName": "Anna", "lastName": None, "channels": [{"type": "email", "value": "anna@example.com"}],
    "address": None, "fields": [], "addressBookId": None, "contactKey": None, "groups": None,
}  # fmt: skip
EMAIL = {"from": '"Shop" <news@example.com>', "subject": "Hi", "htmlText": "<p>Hi</p>", "plainText": None}


class Client:
    def __init__(self, host: str, key: str) -> None:
        self._line = Line(
            host,
            Authorization=basic("owner@example.com", key),
            Content_Type="application/json",
            Accept="application/json",
        )
        self.total: int | None = None

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """Decoded; None for 404. Raises ValueError for what is no JSON, as the library does."""
        reply = await self._line.call(
            method, f"/api/v1/{path}", None if body is None else json.dumps(body).encode()
        )
        if reply.status == 404:
            return None
        assert reply.status == 200, reply.text
        self.total = int(reply.headers["TotalCount"]) if "TotalCount" in reply.headers else None
        return reply.json()


@pytest.fixture
def client(api: Api, host: str) -> Client:
    return Client(host, api.key)


async def test_a_simple_contact_has_no_member_the_library_does_not_know(client: Client) -> None:
    contact_id = (await client.call("POST", "contact", ANNA))["id"]
    read = await client.call("GET", f"contact/{contact_id}")
    assert read.keys() <= KNOWN
    assert None not in read.values()
    assert read["channels"] == ANNA["channels"]


async def test_absent_things_are_null(client: Client) -> None:
    assert await client.call("GET", "contact/999999") is None
    assert await client.call("GET", "group/999999/contacts?startindex=1&maxrows=10") is None


async def test_segments_with_an_empty_name_are_all_of_them_and_people_are_counted(client: Client) -> None:
    for name in ("anna", "bo"):
        await client.call("POST", "contact", {
            **ANNA, "channels": [{"type": "email", "value": f"{name}@example.com"}], "groups": [{"name": "News"}],
        })  # fmt: skip
    groups = await client.call("GET", "groups?name=&startindex=1&maxrows=500")
    assert client.total == len(groups) >= 1
    news = next(group for group in groups if group["name"] == "News")
    people = await client.call("GET", f"group/{news['id']}/contacts?startindex=1&maxrows=1")
    assert (len(people), client.total) == (1, 2)


async def test_an_event_with_parameters_and_a_null_key_is_recorded_though_its_empty_answer_is_no_json(
    api: Api, client: Client
) -> None:
    event = {
        "eventTypeKey": "basket", "keyValue": None, "parameters": [{"name": "email", "value": "anna@example.com"}],
    }  # fmt: skip
    with pytest.raises(ValueError, match="Expecting value"):
        await client.call("POST", "event", event)
    assert await api.rows("select params->>'email' from event where org_id = %(org_id)s") == [
        ("anna@example.com",)
    ]


async def test_a_sentence_is_no_json_either(client: Client) -> None:
    contact_id = (await client.call("POST", "contact", ANNA))["id"]
    with pytest.raises(ValueError, match="Expecting value"):
        await client.call("DELETE", f"contact/{contact_id}")


async def test_smartsend_names_recipients_by_email_and_takes_one_result_or_many(client: Client) -> None:
    message_id = (await client.call("POST", "messages/email", {**EMAIL, "name": "Hello"}))["id"]
    for count in (1, 2):
        body = {
            "recipients": [{"email": f"p{n}@example.com", "jsonParam": None} for n in range(count)],
            "email": True, "fromName": None, "campaignId": None, "allowUnconfirmed": False,
        }  # fmt: skip
        results = (await client.call("POST", f"message/{message_id}/smartsend", body))["results"]
        found = results if isinstance(results, list) else [results]
        assert [one["status"] for one in found] == ["OK"] * count
        statuses = await client.call(
            "GET", "message/status?ids=" + ",".join(one["requestId"] for one in found)
        )
        assert isinstance(statuses["results"], list) == (count > 1)


async def test_send_email_needs_an_array_which_an_organisation_may_choose(api: Api, client: Client) -> None:
    changed = await api.call("PATCH", "/api/v4/organisation", {"always_arrays": True})
    assert changed.json()["always_arrays"] is True
    body = {**EMAIL, "emails": ["anna@example.com"]}
    (one,) = (await client.call("POST", "message/email", body))["results"]
    assert (one["id"], one["status"]) == (0, "OK")


async def test_old_methods_are_there(client: Client) -> None:
    assert await client.call("GET", "callouts/sms?startindex=1&maxrows=10") == []
    assert await client.call("GET", "contacts/old?email=anna@example.com") == []
