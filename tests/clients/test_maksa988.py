"""The PHP library of maksa988 (Laravel): the body of every answer goes through a JSON decoder, refusals are quoted whole."""

from __future__ import annotations

import json

import pytest

from perigee.testing.api import Api
from perigee.testing.line import Line, Reply, basic


class Client:
    def __init__(self, host: str, key: str) -> None:
        self._line = Line(host, Authorization=basic("any", key), Content_Type="application/json")

    async def call(self, method: str, path: str, body: object = None) -> Reply:
        return await self._line.call(
            method, f"/api/v1/{path}", None if body is None else json.dumps(body).encode()
        )


@pytest.fixture
def client(api: Api, host: str) -> Client:
    return Client(host, api.key)


async def test_what_creates_or_reads_is_json_and_what_only_confirms_is_not(client: Client) -> None:
    """The library fails on the second kind against the real service too (contract 2.4)."""
    contact = {"channels": [{"type": "email", "value": "anna@example.com"}]}
    contact_id = (await client.call("POST", "contact", contact)).json()["id"]
    assert (await client.call("GET", f"contact/{contact_id}")).json()["id"] == contact_id
    for method, path, body in (
        ("PUT", f"contact/{contact_id}", {"lastName": "Koval"}),
        ("POST", "event", {"eventTypeKey": "basket", "keyValue": "1"}),
        ("POST", "emails/unsubscribed/add", {"emails": ["anna@example.com"]}),
        ("DELETE", f"contact/{contact_id}", None),
    ):
        reply = await client.call(method, path, body)
        assert reply.status == 200, path
        with pytest.raises(ValueError, match="Expecting value"):
            reply.json()


async def test_the_whole_body_of_a_refusal_tells_what_was_wrong(client: Client) -> None:
    reply = await client.call("POST", "contact", {"firstName": "Anna"})
    assert reply.status == 400
    assert "channels" in reply.text
