"""/api/v4/event-types and the history of a contact."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.events.tests.conftest import Events
from perigee.testing.api import make_organisation

TYPES = "/api/v4/event-types"


async def type_of(events: Events, key: str) -> dict[str, Any]:
    items = (await events.api.get(TYPES)).json()["items"]
    return next(item for item in items if item["key"] == key)


async def test_types_are_listed_in_pages(events: Events) -> None:
    for key in ("a", "b", "c"):
        await events.post(keyValue="k", eventTypeKey=key)
    first = (await events.api.get(TYPES, params={"limit": 2})).json()
    assert [item["key"] for item in first["items"]] == ["a", "b"]
    rest = (await events.api.get(TYPES, params={"limit": 2, "cursor": first["next"]})).json()
    assert [item["key"] for item in rest["items"]] == ["c"]
    assert "next" not in rest
    assert first["items"][0] | {"event_type_id": 0, "created_at": ""} == {
        "event_type_id": 0,
        "key": "a",
        "name": "a",
        "category": "other",
        "description": "",
        "use_for_segments": True,
        "validate_params": False,
        "params": [],
        "contact_param": None,
        "created_at": "",
    }


async def test_validation_is_switched_on_and_works(events: Events) -> None:
    await events.post(keyValue="k")
    path = f"{TYPES}/{(await type_of(events, 'seen'))['event_type_id']}"
    params = [{"name": "EmailAddress", "required": True}, {"name": "Name", "required": False}]
    answer = await events.api.call("PATCH", path, {"validate_params": True, "params": params})
    assert answer.status_code == 200
    assert (answer.json()["validate_params"], answer.json()["params"]) == (True, params)
    assert (await events.post(keyValue="k")).status_code == 400


async def test_a_contact_parameter_is_set_and_taken_away(events: Events) -> None:
    await events.post(keyValue="k")
    path = f"{TYPES}/{(await type_of(events, 'seen'))['event_type_id']}"
    assert (await events.api.call("PATCH", path, {"contact_param": "buyer"})).json()[
        "contact_param"
    ] == "buyer"
    assert (await events.api.call("PATCH", path, {"name": "Seen"})).json()["contact_param"] == "buyer"
    assert (await events.api.call("PATCH", path, {"contact_param": None})).json()["contact_param"] is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"category": "odd"}, "category: 'odd' must be one of"),
        ({"name": " "}, "name: must not be empty"),
        ({"params": [{"name": "a", "required": True}] * 2}, "params: a name is given twice"),
        ({"params": [{"name": "a", "required": True}] * 101}, "101 parameters are more than 100"),
    ],
)
async def test_bad_changes_change_nothing(events: Events, change: dict[str, Any], words: str) -> None:
    await events.post(keyValue="k")
    before = await type_of(events, "seen")
    answer = await events.api.call("PATCH", f"{TYPES}/{before['event_type_id']}", change)
    assert answer.status_code == 400
    assert words in answer.json()["detail"]
    assert await type_of(events, "seen") == before


async def test_another_organisations_type_looks_like_none(events: Events) -> None:
    await events.post(keyValue="k")
    path = f"{TYPES}/{(await type_of(events, 'seen'))['event_type_id']}"
    _, key = await make_organisation(events.api.db, "Other Shop")
    assert (await events.api.get(path, key=key)).status_code == 404
    assert (await events.api.call("PATCH", path, {"name": "mine"}, key=key)).status_code == 404
    assert (await type_of(events, "seen"))["name"] == "seen"


async def test_a_history_has_every_event_once_newest_first(events: Events) -> None:
    contact_id = await events.add_contact(email="anna@example.com")
    other = await events.add_contact(email="bo@example.com")
    days = ["2026-01-03", "2026-01-01", "2026-01-02", "2026-01-02"]
    await events.past(
        *(
            {
                "eventTypeKey": "seen",
                "keyValue": str(n),
                "occurred": day,
                "params": {"email": "anna@example.com"},
            }
            for n, day in enumerate(days)
        )
    )
    await events.post({"contactId": other})
    path = f"/api/v4/contacts/{contact_id}/events"
    keys, cursor = [], ""
    while cursor is not None:
        page = (await events.api.get(path, params={"limit": 1, "cursor": cursor})).json()
        keys += [item["event_key"] for item in page["items"]]
        cursor = page.get("next")
    assert keys == ["0", "3", "2", "1"]
    (event,) = (await events.api.get(f"/api/v4/contacts/{other}/events")).json()["items"]
    assert (event["type_key"], event["params"], event["source"]) == ("seen", {"contactId": other}, "api")


async def test_a_history_of_nobody_and_with_a_bad_cursor(events: Events) -> None:
    contact_id = await events.add_contact(email="anna@example.com")
    assert (await events.api.get("/api/v4/contacts/5/events")).status_code == 404
    for cursor in ("x", "1.x", "9" * 30 + ".1", "9" * 50):
        answer = await events.api.get(f"/api/v4/contacts/{contact_id}/events", params={"cursor": cursor})
        assert answer.status_code == 400
