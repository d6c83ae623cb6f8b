"""The PHP library of m-tymchyk: anything but exactly 200 is an error, `TotalCount` is looked up as it is spelt."""

from __future__ import annotations

import json
from typing import Any

import pytest

from perigee.testing.api import Api
from perigee.testing.line import Line, Reply, basic

ANNA = {"channels": [{"type": "email", "value": "anna@example.com"}], "firstName": "Anna"}


class Client:
    """As the library calls: the base URL holds `/api/v1`, every answer goes through one check."""

    def __init__(self, host: str, key: str) -> None:
        self._line = Line(
            host,
            Authorization=basic("api-user", key),
            Accept="application/json",
            Content_Type="application/json",
        )

    async def request(self, method: str, path: str, body: Any = None) -> Reply:
        reply = await self._line.call(
            method, f"/api/v1/{path}", None if body is None else json.dumps(body).encode()
        )
        assert reply.status == 200, reply.text
        return reply

    async def page(self, path: str) -> tuple[list[Any], int]:
        reply = await self.request("GET", path)
        return reply.json(), int(reply.headers["TotalCount"])


@pytest.fixture
def client(api: Api, host: str) -> Client:
    return Client(host, api.key)


async def test_every_answer_of_a_contacts_life_is_exactly_200(client: Client) -> None:
    contact_id = (await client.request("POST", "contact", ANNA)).json()["id"]
    await client.request("PUT", f"contact/{contact_id}", {**ANNA, "lastName": "Koval"})
    assert (await client.request("GET", f"contact/{contact_id}")).json()["lastName"] == "Koval"
    form = {"contact": ANNA, "groups": ["News"]}
    assert (await client.request("POST", "contact/subscribe", form)).json()["id"] == contact_id
    await client.request("DELETE", f"contact/{contact_id}")


async def test_lists_tell_their_total_in_the_header_as_the_library_spells_it(client: Client) -> None:
    for name in ("anna", "bo", "cy"):
        contact = {
            "channels": [{"type": "email", "value": f"{name}@example.com"}],
            "groups": [{"name": "News"}],
        }
        await client.request("POST", "contact", contact)
    rows, total = await client.page("contacts?startindex=2&maxrows=1")
    assert (len(rows), total) == (1, 3)
    groups, total = await client.page("groups?startindex=1&maxrows=500")
    assert total == len(groups)
    news = next(group["id"] for group in groups if group["name"] == "News")
    rows, total = await client.page(f"group/{news}/contacts?startindex=1&maxrows=2")
    assert (len(rows), total) == (2, 3)
