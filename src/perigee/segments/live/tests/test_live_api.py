"""What is kept of dynamic segments, over the API."""

from __future__ import annotations

from typing import Any

from perigee.contacts.rows import ContactRow
from perigee.segments.live.tests.conftest import Room
from perigee.testing.api import Api

TOWN = {"is": "field", "field": "town", "test": {"op": "equals", "value": "Kyiv"}}


async def made(api: Api) -> tuple[Room, int]:
    room = Room(api.db, api.org_id)
    await room.people(ContactRow(external_id="1", town="Kyiv"), ContactRow(external_id="2"))
    answer = await api.post("/api/v4/segments", {"name": "Kyiv", "condition": TOWN})
    assert answer.json()["live"] == {"status": "building", "people": 0}
    segment_id = answer.json()["segment_id"]
    await room.evaluate()
    return room, segment_id


async def test_a_dynamic_segment_shows_its_people_and_up_to_when_that_is_right(api: Api) -> None:
    _, segment_id = await made(api)
    live = (await api.get(f"/api/v4/segments/{segment_id}")).json()["live"]
    assert (live["people"], "evaluated_at" in live) == (1, True)
    assert (await api.get("/api/v4/segments")).json()["items"][0]["live"]["people"] == 1


async def test_recalculating_puts_right_who_is_wrongly_in_or_out(api: Api) -> None:
    room, segment_id = await made(api)
    await room.rows("update contact set town = 'Kyiv' where org_id = %(org_id)s")
    assert (await api.post(f"/api/v4/segments/{segment_id}/recalculate")).status_code == 200
    await room.evaluate()
    assert len(await room.held(segment_id)) == 2


async def test_growth_counts_who_came_and_left_on_a_day(api: Api) -> None:
    room, segment_id = await made(api)
    await room.people(ContactRow(external_id="2", town="Kyiv"), ContactRow(external_id="1", town="Lviv"))
    await room.follow()
    (day,) = (await api.get(f"/api/v4/segments/{segment_id}/growth?days=2")).json()["days"]
    assert (day["count"], day["joined"], day["left"]) == (1, 1, 1)
    changes = (await api.get(f"/api/v4/segments/{segment_id}/changes")).json()["items"]
    assert sorted(one["joined"] for one in changes) == [False, True]


async def test_a_contact_shows_its_segments(api: Api) -> None:
    room, segment_id = await made(api)
    (contact_id,) = await room.held(segment_id)
    found: Any = (await api.get(f"/api/v4/contacts/{contact_id}/segments")).json()
    assert [one["segment_id"] for one in found["items"]] == [segment_id]
    assert (await api.get("/api/v4/contacts/404/segments")).status_code == 404


async def test_a_list_is_not_worked_out(api: Api) -> None:
    made = (await api.post("/api/v4/segments", {"name": "List"})).json()
    assert "live" not in made
    answer = await api.post(f"/api/v4/segments/{made['segment_id']}/recalculate")
    assert (answer.status_code, answer.json()["detail"]) == (
        400,
        f"segment_id: '{made['segment_id']}' is a list; only dynamic segments are worked out",
    )


async def test_a_deleted_segment_leaves_nothing_behind(api: Api) -> None:
    room, segment_id = await made(api)
    assert (await api.delete(f"/api/v4/segments/{segment_id}")).status_code == 204
    await room.evaluate()
    assert await room.held(segment_id) == []
    assert await room.rows("select 1 from segment_state where org_id = %(org_id)s") == []
