"""Subscription forms on the wire (contract 9.6)."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.segments import categories
from perigee.testing.api import Api

PATH = "/api/v1/contact/subscribe"
ANNA = {"firstName": "Anna", "channels": [{"type": "email", "value": "anna@example.com"}]}
EXAMPLE = {"contact": ANNA, "groups": ["Newsletter"], "subscriptions": ["news"], "formType": "footer"}


@pytest.fixture(autouse=True)
async def news(api: Api) -> None:
    async with api.db.transaction() as conn:
        await categories.create(conn, api.org_id, "News", "news")


async def send(api: Api, **form: Any) -> dict[str, Any]:
    answer = await api.post(PATH, form)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert isinstance(found, dict)
    return found


async def events(api: Api) -> list[Any]:
    return await api.rows(
        "select t.key, e.event_key, e.params from event e join event_type t using (org_id, event_type_id)"
        " where org_id = %(org_id)s order by event_id"
    )


async def test_the_example_makes_a_contact_that_has_to_confirm(api: Api) -> None:
    answer = await send(api, **EXAMPLE)
    contact_id = answer["id"]
    assert answer == {"id": contact_id, "emailStatus": "NEED_CONFIRMATION", "new": True}
    members = await api.rows(
        "select s.name from segment_member m join segment s using (org_id, segment_id) where org_id = %(org_id)s order by 1"
    )
    assert members == [("News",), ("Newsletter",)]
    assert await events(api) == [
        (
            "subscribeFromApi-footer",
            str(contact_id),
            {"ContactId": contact_id, "EmailAddress": "anna@example.com"},
        )
    ]
    log = await api.rows("select kind, value, action from consent_log where org_id = %(org_id)s")
    assert log == [("category", "news", "subscribed")]


async def test_a_known_contact_is_updated_and_stays_subscribed(api: Api) -> None:
    contact_id = (await api.post("/api/v1/contact", ANNA)).json()["id"]
    answer = await send(api, contact={**ANNA, "lastName": "Koval"})
    assert answer == {"id": contact_id, "emailStatus": "ALREADY_SUBSCRIBED", "new": False}
    assert [key for key, _, _ in await events(api)] == ["subscribeUpdateFromApi"]
    assert (await api.get(f"/api/v1/contact/{contact_id}")).json()["lastName"] == "Koval"


@pytest.mark.parametrize(
    ("column", "status"),
    [
        ("blacklisted_at", "BLACKLISTED"),
        ("unsubscribed_at", "NEED_CONFIRMATION"),
        ("created_at", "SUBSCRIBED"),
    ],
)
async def test_the_state_of_a_known_address_decides(api: Api, column: str, status: str) -> None:
    await api.rows(
        f"insert into address (org_id, kind, value, {column}) values (%(org_id)s, 'email', 'anna@example.com', now())"
    )
    assert await send(api, contact=ANNA) | {"id": 0} == {"id": 0, "emailStatus": status, "new": True}


async def test_a_phone_alone_needs_no_confirmation(api: Api) -> None:
    answer = await send(api, contact={"channels": {"type": "sms", "value": "380501112233"}})
    assert answer["emailStatus"] == "SUBSCRIBED"
    ((_, _, params),) = await events(api)
    assert params == {"ContactId": answer["id"]}


@pytest.mark.parametrize("groups", [None, "A", ["A"], {"name": "A"}, [{"name": "A"}]])
async def test_groups_in_every_form(api: Api, groups: Any) -> None:
    await send(api, contact=ANNA, groups=groups, formType=None, fields=[], dedupeOn="email")
    members = await api.rows("select 1 from segment_member where org_id = %(org_id)s")
    assert len(members) == (groups is not None)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({}, "contact: is required"),
        ({"contact": {}}, "channels: at least one"),
        ({"contact": ANNA, "subscriptions": ["nope"]}, "subscriptions: 'nope' is not the key"),
        ({"contact": ANNA, "formType": "a<b"}, "formType: "),
        ({"contact": ANNA, "formType": "x" * 100}, "is longer than 100 characters"),
    ],
)
async def test_bad_forms_are_refused_and_leave_nothing(api: Api, form: dict[str, Any], message: str) -> None:
    for _ in range(2):
        answer = await api.post(PATH, form)
        assert answer.status_code == 400
        assert message in answer.json()["message"]
    assert await api.rows("select 1 from contact where org_id = %(org_id)s") == []


async def test_the_same_form_within_a_minute_is_a_duplicate(api: Api) -> None:
    await send(api, contact=ANNA)
    answer = await api.post(PATH, {"contact": ANNA})
    assert (answer.status_code, answer.json()["message"]) == (409, "Duplicated request")
