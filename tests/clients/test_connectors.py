"""Connectors of automation services: Pipedream, Metorial, Composio and One, each in its own reading of the API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from perigee.testing.api import Api
from perigee.testing.line import Line, basic

EMAIL = {"from": '"Shop" <news@example.com>', "subject": "Hi", "htmlText": "<p>Hi</p>"}


class Connector:
    def __init__(self, host: str, key: str) -> None:
        self._line = Line(host, Authorization=basic("api-user", key), Content_Type="application/json")

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        reply = await self._line.call(
            method, f"/api/{path}", None if body is None else json.dumps(body).encode()
        )
        assert reply.status == 200, reply.text
        return reply.json() if reply.body[:1] in (b"{", b"[") else reply.text


@pytest.fixture
def connector(api: Api, host: str) -> Connector:
    return Connector(host, api.key)


async def add(connector: Connector, name: str = "anna") -> int:
    contact = {"channels": [{"type": "email", "value": f"{name}@example.com"}]}
    return int((await connector.call("POST", "v1/contact", contact))["id"])


async def test_pipedream_names_no_version(api: Api, connector: Connector) -> None:
    contact = {"channels": {"type": "email", "value": "anna@example.com"}, "groups": [{"name": "News"}]}
    assert (await connector.call("POST", "contact", contact))["id"]
    sent = await connector.call("POST", "message/email", {**EMAIL, "emails": ["anna@example.com"]})
    assert sent["results"]["status"] == "OK"
    event = {"eventTypeKey": "basket", "keyValue": "anna@example.com", "params": []}
    assert await connector.call("POST", "event", event) == ""
    assert [group["name"] for group in await connector.call("GET", "groups") if group["name"] == "News"]
    assert await api.rows(
        "select count(*) from event where org_id = %(org_id)s and event_key like 'anna%%'"
    ) == [(1,)]


async def test_metorial_marks_unsubscribed_addresses_by_the_short_path(
    api: Api, connector: Connector
) -> None:
    await add(connector)
    await connector.call("POST", "v1/emails/unsubscribed", {"emails": ["anna@example.com"]})
    assert await api.rows(
        "select unsubscribed_at is not null from address where org_id = %(org_id)s and kind = 'email'"
    ) == [(True,)]


async def test_metorial_tells_past_events_with_an_object_of_params(connector: Connector) -> None:
    event = {
        "eventTypeKey": "lessonDone", "keyValue": "anna@example.com", "occurred": "2026-10-22T14:30",
        "params": {"email": "anna@example.com"},
    }  # fmt: skip
    answer = await connector.call("POST", "v3/past_events", {"events": [event]})
    assert len(answer["results"]) == answer["successCount"] + answer["errorCount"] == 1


async def test_subscriptions_of_a_contact_are_read_as_an_array_and_replaced_as_a_whole(
    connector: Connector,
) -> None:
    contact_id = await add(connector)
    path = f"v1/contact/{contact_id}/subscriptions"
    assert await connector.call("GET", path) == []
    await connector.call("PUT", path, {"subscriptions": []})
    assert await connector.call("GET", path) == []


async def test_composio_changes_a_template_with_all_its_members_or_by_post_with_its_id(
    connector: Connector,
) -> None:
    message = {**EMAIL, "name": "Hello", "languageCode": "en"}
    message_id = (await connector.call("POST", "v1/messages/email", message))["id"]
    await connector.call("PUT", f"v1/messages/email/{message_id}", {**message, "subject": "Changed"})
    assert (await connector.call("GET", f"v1/messages/email/{message_id}"))["subject"] == "Changed"
    again = await connector.call(
        "POST", "v1/messages/email", {**message, "id": message_id, "subject": "Again"}
    )
    assert again["id"] == message_id
    assert (await connector.call("GET", f"v1/messages/email/{message_id}"))["subject"] == "Again"


async def test_composio_sends_events_of_the_third_version(api: Api, connector: Connector) -> None:
    event = {"eventTypeKey": "AbandonedCart", "params": {"email": "anna@example.com", "itemCount": 3}}
    assert await connector.call("POST", "v3/event", event) == ""
    assert await api.rows("select event_key from event where org_id = %(org_id)s") == [("anna@example.com",)]


async def test_one_lists_fields_flat(connector: Connector) -> None:
    for field in await connector.call("GET", "v1/additionalfields"):
        assert {"id", "name", "fieldKey", "profileKey", "type"} <= field.keys()


async def test_a_file_of_contacts_is_answered_with_a_session_under_two_names(connector: Connector) -> None:
    body = {"link": "https://files.example.com/contacts.csv", "dedupeOn": "email"}
    answer = await connector.call("POST", "v1/contacts/upload", body)
    assert answer["importId"] == answer["asyncSessionId"]
    assert answer["valid"] is True


async def test_categories_are_misspelt(connector: Connector) -> None:
    body = {**EMAIL, "emails": ["anna@example.com"], "subscriptionKeys": []}
    assert (await connector.call("POST", "v1/message/email", body))["results"]["status"] == "OK"
