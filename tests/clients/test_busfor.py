"""The client of busfor as its traffic was recorded in 2019: nulls for what is absent, a contact inside `contact`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from perigee.testing.api import Api
from perigee.testing.line import Line, Reply, basic

JSON = "application/json;charset=UTF-8"
ANNA = {
    "firstName": "Anna", "lastName": None, "channels": [{"type": "email", "value": "anna@example.com"}],
    "address": None, "fields": [], "addressBookId": None, "id": None, "contactKey": None, "ordersInfo": None,
    "groups": None, "email": None, "phone": None,
}  # fmt: skip


class Client:
    def __init__(self, host: str, key: str) -> None:
        self._line = Line(host, Authorization=basic("busfor", key), Content_Type="application/json; charset=UTF-8",
                          Accept="application/json; charset=UTF-8")  # fmt: skip

    async def call(self, method: str, path: str, body: Any = None) -> Reply:
        reply = await self._line.call(
            method, f"/api/v1/{path}", None if body is None else json.dumps(body).encode()
        )
        assert (reply.status, reply.any_case("Content-Type")) == (200, JSON), reply.text
        return reply


@pytest.fixture
def client(api: Api, host: str) -> Client:
    return Client(host, api.key)


async def test_a_form_of_nulls_and_a_wrapped_update(client: Client) -> None:
    form = {"contact": ANNA, "groups": None, "formType": None}
    contact_id = (await client.call("POST", "contact/subscribe", form)).json()["id"]
    wrapped = {"contact": {**ANNA, "lastName": "Koval", "channels": []}, "groups": None, "formType": None}
    assert (await client.call("PUT", f"contact/{contact_id}", wrapped)).text.endswith("has been updated")
    read = (await client.call("GET", f"contact/{contact_id}")).json()
    assert (read["firstName"], read["lastName"]) == ("Anna", "Koval")
    assert read["channels"] == ANNA["channels"], "an empty list changes no channel"


async def test_empty_answers_are_labelled_json_and_have_their_length(client: Client) -> None:
    for path, body in (
        ("event", {"eventTypeKey": "ticket", "keyValue": "1", "params": [{"name": "count", "value": None}]}),
        ("emails/unsubscribed/add", {"emails": ["anna@example.com"]}),
        ("emails/unsubscribed/delete", {"emails": ["anna@example.com"]}),
    ):
        reply = await client.call("POST", path, body)
        assert (reply.body, reply.any_case("Content-Length")) == (b"", "0")


async def test_the_recorded_headers_for_other_origins(client: Client) -> None:
    reply = await client.call("GET", "version")
    assert reply.any_case("Access-Control-Allow-Methods") == "POST, GET, PUT, OPTIONS, DELETE"
    assert reply.any_case("Access-Control-Max-Age") == "3600"
    allowed = reply.any_case("Access-Control-Allow-Headers") or ""
    assert allowed.startswith(
        "Content-Type, Accept, Content-Range, Content-Disposition, Content-Description, X-Requested-With, "
        "remember-me, Authorization"
    )
