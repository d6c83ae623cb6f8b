"""Types made and deleted, refused events, history with filters, figures, many events in one call."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.contacts.delete import delete_all
from perigee.events import refused
from perigee.events.structure import fits
from perigee.events.tests.conftest import Events
from perigee.events.types import EventParameter

TYPES = "/api/v4/event-types"
COURSE = {
    "key": "course",
    "name": "Course finished",
    "description": "From the school",
    "validate_params": True,
    "params": [{"name": "course", "required": True, "type": "text"}],
}


async def made(events: Events, **change: Any) -> dict[str, Any]:
    answer = await events.api.call("POST", TYPES, {**COURSE, **change})
    assert answer.status_code == 201, answer.text
    return answer.json()  # type: ignore[no-any-return]


async def items(events: Events, path: str, **query: Any) -> list[Any]:
    answer = await events.api.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]  # type: ignore[no-any-return]


async def bulk(events: Events, *given: Any) -> dict[str, Any]:
    answer = await events.api.call("POST", "/api/v4/events", {"events": list(given)})
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


async def test_a_type_is_made_once(events: Events) -> None:
    row = await made(events)
    assert {name: row[name] for name in COURSE} == COURSE
    assert (await events.api.call("POST", TYPES, COURSE)).status_code == 409
    assert (await events.api.call("POST", TYPES, {**COURSE, "key": "a<b"})).status_code == 400


async def test_a_refused_event_is_told_what_is_expected_and_kept(events: Events) -> None:
    row = await made(events)
    answer = await events.post({"EmailAddress": "anna@example.com"}, version=1, eventTypeKey="course")
    assert answer.status_code == 400
    assert answer.text == ('The event should have the following params: [{"name":"course","required":true}]')
    (error,) = await items(events, "/api/v4/event-errors", event_type_id=row["event_type_id"])
    assert (error["type_key"], error["event_key"]) == ("course", "anna@example.com")
    assert error["reason"].startswith("The event should have the following params")
    assert "anna@example.com" in error["body"]
    assert await items(events, "/api/v4/event-errors", event_type_id=row["event_type_id"] + 1) == []


async def test_an_event_without_a_key_of_a_type_nobody_knows_is_kept_too(events: Events) -> None:
    assert (await events.post({"a": 1}, eventTypeKey="new")).status_code == 400
    (error,) = await items(events, "/api/v4/event-errors")
    assert (error["type_key"], error["event_type_id"], error["body"]) == ("new", None, '{"a":1}')


async def test_errors_come_in_pages_newest_first_and_go_after_a_month(events: Events) -> None:
    for key in ("a", "b", "c"):
        await events.post({}, eventTypeKey=key)
    first = (await events.api.get("/api/v4/event-errors", params={"limit": 2})).json()
    assert [item["type_key"] for item in first["items"]] == ["c", "b"]
    rest = (await events.api.get("/api/v4/event-errors", params={"limit": 2, "cursor": first["next"]})).json()
    assert [item["type_key"] for item in rest["items"]] == ["a"]
    assert "next" not in rest
    await events.api.rows(
        "update event_error set at = now() - interval '31 days' where org_id = %(org_id)s and type_key = 'a' returning 1"
    )
    async with events.api.db.transaction() as conn:
        await refused.prune(conn)
    assert [item["type_key"] for item in await items(events, "/api/v4/event-errors")] == ["c", "b"]


async def test_a_person_who_is_erased_leaves_no_refused_event(events: Events) -> None:
    await made(events)
    anna = await events.add_contact(email="anna@example.com", external_id="CRM-ANNA-1")
    for params in (
        {"email": "Anna@Example.com"},
        {"contactId": anna},
        {"email": "bo@example.com", "friend": "anna@example.com"},
        {"email": "bo@example.com"},
    ):
        assert (await events.post(params, eventTypeKey="course")).status_code == 400
    async with events.api.db.transaction() as conn:
        await delete_all(conn, events.api.org_id, [anna], erase=True)
    assert [item["event_key"] for item in await items(events, "/api/v4/event-errors")] == ["bo@example.com"]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("any", [1, "a", [], {}, False], []),
        ("text", ["a"], [1, [], {}, True]),
        ("number", [1, -2.5, "1", " -0.5 "], ["a", "1e3", True, [], "1,5"]),
        ("boolean", [True, False, "true", "false"], ["yes", 1, 0, []]),
        ("date", ["2026-03-22", "2026-03-22T14:30:00Z"], ["soon", 20260322, {}]),
        ("array", [[], [1], "[1]"], [{}, "{}", "a", 1]),
        ("object", [{}, {"a": 1}, '{"a": 1}'], [[], "[]", "a", 1]),
    ],
)
def test_a_parameter_that_is_there_is_of_its_type(kind: Any, good: list[Any], bad: list[Any]) -> None:
    expected = [EventParameter("x", False, kind)]
    assert fits(expected, {})
    for value in good:
        assert fits(expected, {"x": value}), value
    for value in bad:
        assert not fits(expected, {"x": value}), value


async def test_deleting_a_type_deletes_its_history_and_its_errors(events: Events) -> None:
    row = await made(events)
    await events.post({"email": "a@example.com", "course": "x"}, eventTypeKey="course")
    await events.post({"email": "a@example.com"}, eventTypeKey="course")
    await events.post({"email": "a@example.com"}, eventTypeKey="other")
    path = f"{TYPES}/{row['event_type_id']}"
    assert (await events.api.call("DELETE", path)).status_code == 204
    await events.api.run_jobs()
    assert (await events.api.get(path)).status_code == 404
    assert (await events.api.call("DELETE", path)).status_code == 404
    assert await events.api.rows(
        "select t.key from event e left join event_type t using (org_id, event_type_id) where e.org_id = %(org_id)s"
    ) == [("other",)]
    assert await items(events, "/api/v4/event-errors") == []


async def test_history_is_filtered_by_type_contact_period_and_parameter(events: Events) -> None:
    anna = await events.add_contact(email="anna@example.com")
    who = {"email": "anna@example.com"}
    for key, params in (("a", {**who, "n": 1}), ("b", {**who, "n": 2}), ("b", {"email": "bo@example.com"})):
        await events.post(params, eventTypeKey=key)

    async def keys(**query: Any) -> list[str]:
        return [item["type_key"] for item in await items(events, "/api/v4/events", **query)]

    type_b = next(one for one in await items(events, TYPES) if one["key"] == "b")["event_type_id"]
    assert await keys() == ["b", "b", "a"]
    assert await keys(event_type_id=type_b) == ["b", "b"]
    assert await keys(contact_id=anna) == ["b", "a"]
    assert await keys(contact_id=anna, event_type_id=type_b) == ["b"]
    assert await keys(param="n") == ["b", "a"]
    assert await keys(param="n", value="1") == ["a"]
    assert await keys(param="n\0", value="\0") == []
    assert await keys(**{"from": "2020-01-01", "to": "2020-02-01"}) == []
    assert await keys(**{"from": "2020-01-01", "contact_id": anna}) == ["b", "a"]


async def test_history_goes_on_behind_its_cursor(events: Events) -> None:
    for key in ("a", "b", "c"):
        await events.post({"email": "a@example.com"}, eventTypeKey=key)
    first = (await events.api.get("/api/v4/events", params={"limit": 2})).json()
    assert [item["type_key"] for item in first["items"]] == ["c", "b"]
    rest = (await events.api.get("/api/v4/events", params={"limit": 2, "cursor": first["next"]})).json()
    assert [item["type_key"] for item in rest["items"]] == ["a"]
    assert "next" not in rest


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2020-01-01", "to": "2020-06-01"},
        {"from": "2020-01-02", "to": "2020-01-01"},
        {"from": "yesterday"},
        {"value": "1"},
        {"contact_id": "x"},
        {"cursor": "x"},
    ],
)
async def test_a_wrong_filter_is_refused(events: Events, query: dict[str, str]) -> None:
    assert (await events.api.get("/api/v4/events", params=query)).status_code == 400


async def happened(
    events: Events, type_id: int, days: int, times: int, contact_id: int | None = None
) -> None:
    await events.api.rows(
        "insert into event (org_id, occurred_at, event_type_id, contact_id) "
        "select %(org_id)s, now() - make_interval(days => %(days)s, hours => 1), %(type_id)s, %(contact_id)s "
        "from generate_series(1, %(times)s) returning 1",
        type_id=type_id,
        days=days,
        times=times,
        contact_id=contact_id,
    )


async def test_figures_say_what_came_for_whom_and_whether_it_falls(events: Events) -> None:
    row = await made(events)
    await happened(events, row["event_type_id"], 1, 9, 5)
    await happened(events, row["event_type_id"], 8, 20)
    await happened(events, row["event_type_id"], 40, 3)
    await events.post({"email": "a@example.com"}, eventTypeKey="course")
    (figure,) = await items(events, "/api/v4/event-figures")
    assert figure == {
        "event_type_id": row["event_type_id"],
        "key": "course",
        "total": 29,
        "contact_not_found": 20,
        "refused": 1,
        "last_7_days": 9,
        "previous_7_days": 20,
        "falling": True,
    }
    await happened(events, row["event_type_id"], 1, 1)
    assert (await items(events, "/api/v4/event-figures"))[0]["falling"] is False


async def test_a_type_has_its_days(events: Events) -> None:
    row = await made(events)
    path = f"{TYPES}/{row['event_type_id']}/days"
    await happened(events, row["event_type_id"], 3, 2, 5)
    await happened(events, row["event_type_id"], 3, 1)
    await happened(events, row["event_type_id"], 40, 1)
    await events.post({"email": "a@example.com"}, eventTypeKey="course")
    found = [(day["total"], day["contact_not_found"], day["refused"]) for day in await items(events, path)]
    assert found == [(3, 1, 0), (0, 0, 1)]
    assert (await events.api.get(f"{TYPES}/999999/days")).status_code == 404


async def test_many_events_in_one_call_are_judged_one_by_one(events: Events) -> None:
    await made(events)
    answer = await bulk(
        events,
        {"type_key": "course", "params": {"email": "anna@example.com", "course": "Pottery"}},
        {"type_key": "course", "params": {"email": "anna@example.com"}},
        {"type_key": "", "params": {}},
        {"type_key": "x", "event_key": "k", "occurred_at": "2999-01-01T00:00:00Z"},
        {"type_key": "x", "event_key": "k", "occurred_at": "1999-01-01T00:00:00Z"},
        {"type_key": "x", "event_key": "k", "occurred_at": "2026-01-01T00:00:00"},
        {"type_key": "x", "event_key": "k"},
    )
    assert answer["accepted"] == 2
    assert [one["index"] for one in answer["refused"]] == [1, 2, 3, 4, 5]
    assert all(one["error"] for one in answer["refused"])
    ((anna, *_),) = await events.contacts()
    assert [row[:3] for row in await events.stored()] == [
        ("course", "anna@example.com", anna),
        ("x", "k", None),
    ]
    assert len(await items(events, "/api/v4/event-errors")) == 1


async def test_a_bulk_event_keeps_its_moment(events: Events) -> None:
    (at,) = (await events.api.rows("select now() - interval '3 days'"))[0]
    await bulk(events, {"type_key": "x", "event_key": "k", "occurred_at": at.isoformat()})
    assert await events.api.rows("select occurred_at from event where org_id = %(org_id)s") == [(at,)]


async def test_more_events_than_allowed_are_refused_whole(events: Events) -> None:
    given = [{"type_key": "x", "event_key": "k"}] * 3001
    answer = await events.api.call("POST", "/api/v4/events", {"events": given})
    assert answer.status_code == 400
    assert await events.stored() == []


async def test_no_condition_is_about_a_type_that_is_not_used_for_segments(events: Events) -> None:
    row = await made(events, use_for_segments=False)
    wanted = {"name": "S", "condition": {"is": "event", "type": "course"}}
    answer = await events.api.call("POST", "/api/v4/segments", wanted)
    assert answer.status_code == 400
    assert "course" in answer.text
    await events.api.call("PATCH", f"{TYPES}/{row['event_type_id']}", {"use_for_segments": True})
    assert (await events.api.call("POST", "/api/v4/segments", wanted)).status_code in (200, 201)
