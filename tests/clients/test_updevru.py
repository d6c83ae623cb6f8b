"""The Python libraries of updevru and its forks: a slash after every path, login as user name, misspelt methods.

They decode a body only if its content type begins with `application/json`.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from perigee.testing.api import Api
from perigee.testing.line import Line, basic

ANNA = {"firstName": "Anna", "channels": [{"type": "email", "value": "anna@example.com"}]}


class Client:
    def __init__(self, host: str, key: str) -> None:
        self._line = Line(
            host, Authorization=basic("owner@example.com", key), Content_Type="application/json", Accept="*/*"
        )

    async def call(self, method: str, path: str, body: Any = None, query: str = "") -> Any:
        content = None if body is None else json.dumps(body).encode()
        reply = await self._line.call(method, f"/api/v1/{path}/{query}", content)
        assert reply.status == 200, reply.text
        assert (reply.any_case("content-type") or "").startswith("application/json")
        try:
            return reply.json()
        except ValueError:
            return reply.text


@pytest.fixture
def client(api: Api, host: str) -> Client:
    return Client(host, api.key)


async def test_a_slash_after_every_path(api: Api, client: Client) -> None:
    assert (await client.call("GET", "version"))["protocolVersion"] == "1.0"
    contact_id = (await client.call("POST", "contact", ANNA))["id"]
    assert "updated" in await client.call("PUT", f"contact/{contact_id}", {"lastName": "Koval"})
    assert (await client.call("GET", f"contact/{contact_id}"))["lastName"] == "Koval"
    found = await client.call("GET", "contacts", query="?email=anna@example.com")
    assert [row["id"] for row in found] == [contact_id]
    taken = await client.call("POST", "contacts", {"contacts": [ANNA], "dedupeOn": "email"})
    assert taken["id"] == 0
    await api.run_jobs()
    assert (await client.call("GET", f"importstatus/{taken['asyncSessionId']}"))["status"] == "FINISHED"
    assert await client.call("POST", "event", {"eventTypeKey": "basket", "keyValue": "1", "params": []}) == ""


async def test_a_form_brings_members_of_other_methods(client: Client) -> None:
    form = {
        "contact": ANNA,
        "groups": ["News"],
        "formType": None,
        "fields": ["firstName"],
        "dedupeOn": "email",
    }
    contact_id = (await client.call("POST", "contact/subscribe", form))["id"]
    groups = (await client.call("GET", f"contact/{contact_id}"))["groups"]
    assert [group["name"] for group in groups] == ["News"]


async def test_the_misspelt_unsubscribed_list(api: Api, client: Client) -> None:
    await client.call("POST", "contact", ANNA)
    flag = "select unsubscribed_at is not null from address where org_id = %(org_id)s and kind = 'email'"
    for action, marked in (("add", True), ("delete", False)):
        assert (
            await client.call("POST", f"emails/unsubscribe/{action}", {"emails": ["anna@example.com"]}) == ""
        )
        assert await api.rows(flag) == [(marked,)]


async def test_activity_under_its_first_name(client: Client) -> None:
    period = "?dateFrom=2026-11-01&dateTo=2026-11-02"
    assert await client.call("GET", "contactActivity", query=period) == []


async def test_a_template_is_sent_with_parameters_and_asked_about(client: Client) -> None:
    message = {
        "name": "Hello", "from": '"Shop" <news@example.com>', "subject": "Hello %TEMPLATE.name%", "htmlText": "<p>x</p>",
    }  # fmt: skip
    message_id = (await client.call("POST", "messages/email", message))["id"]
    body = {
        "email": True, "fromName": None, "params": [{"key": "TEMPLATE.name", "value": "Anna"}],
        "recipients": ["anna@example.com"],
    }  # fmt: skip
    sent = (await client.call("POST", f"message/{message_id}/send", body))["results"]
    assert sent["status"] == "OK"
    status = await client.call("GET", "message/email/status", query=f"?ids={sent['requestId']}")
    assert status["results"]["requestId"] == sent["requestId"]


async def test_emails_by_a_wrong_parameter_are_no_fault(client: Client) -> None:
    """Some libraries send `emails` where `ids` is meant; it is ignored (contract 11.2)."""
    assert await client.call("GET", "contacts/email", query="?ids=999&emails=anna@example.com") == {
        "results": []
    }
