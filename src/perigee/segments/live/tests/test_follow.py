"""A change of a person is worked into the segments that look at it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from perigee.contacts.delete import delete
from perigee.contacts.rows import ContactRow
from perigee.segments import kinds
from perigee.segments.live import apply, follow, store

TOWN = {"is": "field", "field": "town", "test": {"op": "equals", "value": "Kyiv"}}
CART = {"is": "event", "type": "cart"}
BUYERS = {"is": "orders", "measure": "count", "test": {"op": "at_least", "value": 1}}


async def test_a_new_segment_holds_whom_its_rule_holds(room: Any) -> None:
    kyiv, _ = await room.people(
        ContactRow(external_id="1", town="Kyiv"), ContactRow(external_id="2", town="Lviv")
    )
    segment_id = await room.made(TOWN)
    assert await room.held(segment_id) == [kyiv]
    assert (await room.standing(segment_id)).people == 1


async def test_a_changed_field_moves_its_person_in_and_out(room: Any) -> None:
    segment_id = await room.made(TOWN)
    (one,) = await room.people(ContactRow(external_id="1", town="Kyiv"))
    assert await room.held(segment_id) == []
    await room.follow()
    assert await room.held(segment_id) == [one]
    await room.people(ContactRow(external_id="1", town="Lviv"))
    await room.follow()
    assert await room.held(segment_id) == []
    assert await room.rows(
        "select contact_id, joined from segment_change where org_id = %(org_id)s order by change_id"
    ) == [(one, True), (one, False)]


async def test_an_event_and_an_order_are_followed(room: Any) -> None:
    (one,) = await room.people(ContactRow(external_id="1"))
    await room.event(one, "other")
    await room.event(one, "cart")
    cart, buyers = await room.made({"is": "not", "of": CART}), await room.made(BUYERS)
    (two,) = await room.people(ContactRow(external_id="2"))
    await room.follow()
    assert await room.held(cart) == [two]
    await room.event(two, "cart")
    await room.order(two, "A1")
    await room.follow()
    assert (await room.held(cart), await room.held(buyers)) == ([], [two])


async def test_a_deleted_person_leaves_every_segment(room: Any) -> None:
    (one,) = await room.people(ContactRow(external_id="1", town="Kyiv"))
    segment_id = await room.made(BUYERS | {"test": {"op": "equals", "value": 0}})
    assert await room.held(segment_id) == [one]
    async with room.db.transaction() as conn:
        await delete(conn, room.org_id, one)
    await room.follow()
    assert await room.held(segment_id) == []


async def test_nothing_waits_where_no_segment_looks_at_the_change(room: Any) -> None:
    (one,) = await room.people(ContactRow(external_id="1"))
    await room.event(one, "cart")
    assert await room.waiting() == []
    await room.made(BUYERS)
    await room.check()
    await room.event(one, "cart")
    await room.people(ContactRow(external_id="1", town="Kyiv"))
    assert await room.waiting() == []
    await room.order(one, "A1")
    assert [contact_id for contact_id, seen in await room.waiting() if seen & kinds.ORDERS] == [one]


async def test_only_segments_that_look_at_the_change_are_asked(room: Any) -> None:
    town, buyers = await room.made(TOWN), await room.made(BUYERS)
    async with room.db.transaction() as conn:
        plans = await room.planner.of(conn, room.org_id, datetime.now(UTC))
    asked = follow.concerned(
        plans, {town, buyers}, [(1, kinds.FIELDS), (2, kinds.ORDERS), (3, kinds.PRESENCE)]
    )
    assert asked == {town: [1, 3], buyers: [2, 3]}


async def test_a_worker_that_dies_on_the_way_loses_nothing(
    room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment_id = await room.made(TOWN)
    (one,) = await room.people(ContactRow(external_id="1", town="Kyiv"))
    before = await room.waiting()

    async def die(*_: Any) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr(store, "drained", die)
    with pytest.raises(RuntimeError):
        await room.follow()
    monkeypatch.undo()
    assert (await room.waiting(), await room.held(segment_id)) == (before, [])
    await room.follow()
    assert (await room.waiting(), await room.held(segment_id)) == ([], [one])


async def test_two_workers_do_not_meet_in_one_organisation(room: Any) -> None:
    segment_id = await room.made(TOWN)
    (one,) = await room.people(ContactRow(external_id="1", town="Kyiv"))
    async with room.db.transaction() as conn:
        assert await store.try_lock_organisation(conn, room.org_id)
        assert await room.follow() == 0
    assert await room.follow() > 0
    assert await room.held(segment_id) == [one]


async def test_a_segment_that_fails_stands_still_and_holds_up_no_other(
    room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = await room.made(TOWN), await room.made(TOWN)
    (one,) = await room.people(ContactRow(external_id="1", town="Kyiv"))
    written = apply._difference

    def broken(plans: Any, segment_id: int, ids: Any, now: Any) -> Any:
        sql, values = written(plans, segment_id, ids, now)
        return (sql + ", 1 / 0", values) if segment_id == bad else (sql, values)

    monkeypatch.setattr(apply, "_difference", broken)
    await room.follow()
    assert (await room.held(bad), await room.held(good)) == ([], [one])
    standing = await room.standing(bad)
    assert standing.status == "failed"
    assert standing.error.startswith(
        "The condition failed on what is stored of somebody; the id in the log is "
    )
    assert "zero" not in standing.error, "what the database says is for the log"
