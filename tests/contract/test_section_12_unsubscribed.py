"""Contract section 12 on the wire: the list of unsubscribed addresses."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.testing.api import Api, make_organisation
from perigee.testing.wire import data, empty, refused

EXAMPLE = {"emails": ["anna@example.com", "bo@example.com"]}
ADD = ["emails/unsubscribed/add", "emails/unsubscribe/add", "emails/unsubscribed"]
DELETE = ["emails/unsubscribed/delete", "emails/unsubscribe/delete"]


async def marked(api: Api) -> list[str]:
    rows = await api.rows(
        "select value from address where org_id = %(org_id)s and unsubscribed_at is not null order by value"
    )
    return [row[0] for row in rows]


@pytest.mark.parametrize("path", ADD)
async def test_addresses_are_marked_under_every_spelling_of_the_method(api: Api, path: str) -> None:
    empty(await api.post(f"/api/v1/{path}", EXAMPLE))
    empty(await api.post(f"/api/v1/{path}/", EXAMPLE))
    assert await marked(api) == ["anna@example.com", "bo@example.com"]


@pytest.mark.parametrize("path", DELETE)
async def test_the_mark_is_taken_off_under_every_spelling_of_the_method(api: Api, path: str) -> None:
    empty(await api.post("/api/v1/emails/unsubscribed/add", EXAMPLE))
    empty(await api.post(f"/api/v1/{path}", {"emails": ["ANNA@example.com"]}))
    assert await marked(api) == ["bo@example.com"]
    empty(await api.post(f"/api/v1/{path}/", EXAMPLE))
    assert await marked(api) == []


async def test_unknown_addresses_are_no_error_and_become_no_contacts(api: Api) -> None:
    empty(await api.post("/api/v1/emails/unsubscribed/delete", EXAMPLE))
    empty(await api.post("/api/v1/emails/unsubscribed/add", EXAMPLE))
    assert data(await api.get("/api/v1/contacts")) == []


async def test_an_address_is_marked_and_not_the_contact_or_its_other_channels(api: Api) -> None:
    channels = [{"type": "email", "value": "anna@example.com"}, {"type": "sms", "value": "380501112233"}]
    anna = data(await api.post("/api/v1/contact", {"channels": channels}))["id"]
    before = data(await api.get(f"/api/v1/contact/{anna}"))
    empty(await api.post("/api/v1/emails/unsubscribed/add", EXAMPLE))
    assert await marked(api) == ["anna@example.com", "bo@example.com"]
    assert data(await api.get(f"/api/v1/contact/{anna}")) == before


async def test_the_mark_holds_for_whoever_gets_the_address_in_this_organisation_only(api: Api) -> None:
    other_id, _ = await make_organisation(api.db, "Other")
    empty(await api.post("/api/v1/emails/unsubscribed/add", EXAMPLE))
    data(await api.post("/api/v1/contact", {"channels": [{"type": "email", "value": "anna@example.com"}]}))
    assert "anna@example.com" in await marked(api)
    assert await api.rows("select 1 from address where org_id = %(other)s", other=other_id) == []


@pytest.mark.parametrize("path", [*ADD, *DELETE])
@pytest.mark.parametrize("body", [{}, {"emails": []}, {"emails": None}, {"emails": ["not an email"]}])
async def test_a_call_without_an_address_is_refused(api: Api, path: str, body: Any) -> None:
    refused(await api.post(f"/api/v1/{path}", body), 400, "email")
    assert await marked(api) == []


async def test_one_address_may_stand_for_a_list(api: Api) -> None:
    empty(await api.post("/api/v1/emails/unsubscribed/add", {"emails": "anna@example.com"}))
    assert await marked(api) == ["anna@example.com"]
