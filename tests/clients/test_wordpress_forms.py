"""Add-ons of WordPress forms, a theme and kirillbdev's and yii2's libraries: one channel as an object, lists left empty."""

from __future__ import annotations

import json
from typing import Any

import pytest

from perigee.testing.api import Api
from perigee.testing.line import Line, Reply, basic


class AddOn:
    """`base` as people configure it: with a slash at its end."""

    def __init__(self, host: str, key: str) -> None:
        self._line = Line(host, Authorization=basic("", key), Content_Type="application/json; charset=UTF-8")

    async def call(self, method: str, path: str, body: Any = None) -> Reply:
        content = None if body is None else json.dumps(body).encode()
        reply = await self._line.call(method, f"//api/{path}", content)
        assert reply.status == 200, reply.text
        return reply


@pytest.fixture
def add_on(api: Api, host: str) -> AddOn:
    return AddOn(host, api.key)


async def test_a_form_with_one_channel_as_an_object(api: Api, add_on: AddOn) -> None:
    form = {
        "contact": {
            "firstName": "Ганна",
            "channels": {"type": "email", "value": "Anna@Example.com"},
            "fields": [],
        },
        "groups": ["Форма"],
        "formType": "footer",
    }
    answer = (await add_on.call("POST", "v1/contact/subscribe", form)).json()
    assert (answer["emailStatus"], answer["new"]) == ("NEED_CONFIRMATION", True)
    read = (await add_on.call("GET", f"v1/contact/{answer['id']}")).json()
    assert [group["name"] for group in read["groups"]] == ["Форма"]
    assert await api.rows(
        "select t.key, e.event_key from event e join event_type t using (org_id, event_type_id)"
        " where e.org_id = %(org_id)s"
    ) == [("subscribeFromApi-footer", str(answer["id"]))]


async def test_a_theme_sends_events_with_an_object_of_params(api: Api, add_on: AddOn) -> None:
    event = {"eventTypeKey": "Заявка з сайту", "params": {"email": "anna@example.com", "phone": ""}}
    assert (await add_on.call("POST", "v3/event", event)).body == b""
    assert await api.rows(
        "select t.key from event e join event_type t using (org_id, event_type_id) where e.org_id = %(org_id)s"
    ) == [("Заявка з сайту",)]


async def test_an_empty_list_of_fields_to_update_is_all_of_them(api: Api, add_on: AddOn) -> None:
    contact = {"firstName": "Anna", "channels": [{"type": "email", "value": "anna@example.com"}]}
    for name in ("Anna", "Hanna"):
        body = {"contacts": [{**contact, "firstName": name}], "dedupeOn": "email", "contactFields": []}
        answer = (await add_on.call("POST", "v1/contacts", body)).json()
        assert "errorMessage" not in answer, "yii2's library throws when it is there"
        await api.run_jobs()
        (read,) = (await add_on.call("GET", "v1/contacts?email=anna@example.com")).json()
        assert read["firstName"] == name
