"""Two Python clients: vitaly4uk's, which checks answers by a schema, and python-esputnik-api, which has its own ways."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from perigee.testing.api import Api
from perigee.testing.line import Line, basic

EMAIL = {"from": '"Shop" <news@example.com>', "subject": "Hi", "htmlText": "<p>Hi</p>"}


class Client:
    def __init__(self, host: str, key: str) -> None:
        self._line = Line(
            host, Authorization=basic("user", key), Content_Type="application/json", Accept="*/*"
        )

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        reply = await self._line.call(
            method, f"/api/v1/{path}", None if body is None else json.dumps(body).encode()
        )
        assert reply.status == 200, reply.text
        return reply.json()


@pytest.fixture
def client(api: Api, host: str) -> Client:
    return Client(host, api.key)


async def test_the_users_email_is_an_email(client: Client) -> None:
    info = await client.call("GET", "account/info")
    assert re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", info["userEmail"])
    assert isinstance(info["organisationName"], str)


async def test_results_of_one_are_an_object_and_of_many_an_array(client: Client) -> None:
    one = (await client.call("POST", "message/email", {**EMAIL, "emails": ["anna@example.com"]}))["results"]
    assert (one["id"], one["locator"], one["status"]) == ("0", "anna@example.com", "OK")
    many = await client.call("POST", "message/email", {**EMAIL, "emails": ["a@example.com", "b@example.com"]})
    assert (many["id"], [result["id"] for result in many["results"]]) == (0, [0, 0])
    status = (await client.call("GET", f"message/status?ids={one['requestId']}"))["results"]
    assert (status["failed"], status["delivered"]) == ("false", "false")


async def test_one_channel_and_one_segment_stand_without_their_lists(client: Client) -> None:
    contact = {
        "firstName": "Anna",
        "channels": {"type": "email", "value": "anna@example.com"},
        "groups": {"name": "News"},
    }
    contact_id = (await client.call("POST", "contact", contact))["id"]
    read = await client.call("GET", f"contact/{contact_id}")
    assert read["channels"] == [{"type": "email", "value": "anna@example.com"}]
    assert [group["name"] for group in read["groups"]] == ["News"]


async def test_parameters_that_a_search_does_not_have_are_passed_over(client: Client) -> None:
    await client.call("POST", "contact", {"channels": {"type": "email", "value": "anna@example.com"}})
    assert len(await client.call("GET", "contacts?channels=email&groups=News&email=anna@example.com")) == 1
