"""Segments are worked out as a whole: when made, when changed, when a date moves them; and never too dearly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import OperationalError

from perigee.contacts.rows import ContactRow
from perigee.db.pool import Database
from perigee.segments import manage, people
from perigee.segments.conditions import read
from perigee.segments.limits import Limits, TooExpensive
from perigee.segments.live import store
from perigee.segments.live.evaluate import Evaluator
from perigee.segments.live.follow import AGAIN
from perigee.segments.live.tests.conftest import RECHECK

TOWN = {"is": "field", "field": "town", "test": {"op": "equals", "value": "Kyiv"}}
RECENT = {"is": "event", "type": "cart", "period": {"op": "last_days", "days": 1}}
HOURS = {"is": "event", "type": "cart", "period": {"op": "last_hours", "hours": 1}}
AWAY = timedelta(days=3)


async def settled(room: Any, segment_id: int) -> None:
    """Until transactions that began before the segment have ended: the tests of other processes run on the same server."""
    for seconds in range(0, 600, 3):
        await room.evaluate(datetime.now(UTC) + timedelta(seconds=seconds))
        if (await room.standing(segment_id)).status == "ready":
            return
    raise AssertionError("never settled")


async def test_a_segment_is_ready_when_everybody_tells_of_changes(room: Any) -> None:
    segment_id = await room.segment(TOWN)
    assert (await room.standing(segment_id)).status == "building"
    async with room.db.transaction() as conn:
        # A transaction from before: it told nobody.
        await conn.execute("select pg_current_xact_id()")
        await conn.execute(
            b"insert into contact (org_id, external_id, town) values (%s, 'late', 'Kyiv')", [room.org_id]
        )
        await room.evaluate()
        assert (await room.standing(segment_id)).status == "settling"
        assert await room.held(segment_id) == []
    await settled(room, segment_id)
    assert len(await room.held(segment_id)) == 1


async def test_a_change_while_it_is_built_is_found(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    segment_id = await room.segment(TOWN)
    followed = store.follow

    async def meanwhile(*given: Any) -> None:
        await followed(*given)
        await room.people(ContactRow(external_id="1", town="Kyiv"))

    monkeypatch.setattr(store, "follow", meanwhile)
    await room.evaluate()
    await room.follow()
    assert await room.held(segment_id) == await room.true(segment_id) != []


async def test_another_condition_is_worked_out_anew(room: Any) -> None:
    kyiv, lviv = await room.people(
        ContactRow(external_id="1", town="Kyiv"), ContactRow(external_id="2", town="Lviv")
    )
    segment_id = await room.made(TOWN)
    assert await room.held(segment_id) == [kyiv]
    async with room.db.transaction() as conn:
        await manage.change(
            conn, room.org_id, segment_id, datetime.now(UTC), condition={"is": "not", "of": TOWN}
        )
    await room.evaluate()
    assert await room.held(segment_id) == [lviv]


async def test_a_segment_follows_the_one_that_it_names(room: Any) -> None:
    kyiv, lviv = await room.people(
        ContactRow(external_id="1", town="Kyiv"), ContactRow(external_id="2", town="Lviv")
    )
    inner = await room.segment(TOWN)
    outer = await room.made({"is": "segment", "id": inner}, "Outer")
    await room.check()
    assert await room.held(outer) == [kyiv]
    async with room.db.transaction() as conn:
        await manage.change(conn, room.org_id, inner, datetime.now(UTC), condition={"is": "not", "of": TOWN})
    await room.check()
    await room.evaluate()
    assert await room.held(outer) == [lviv]


async def test_a_day_that_passes_takes_people_out(room: Any) -> None:
    (one,) = await room.people(ContactRow(external_id="1"))
    await room.event(one, "cart")
    segment_id = await room.made(RECENT)
    await settled(room, segment_id)
    assert await room.held(segment_id) == [one]
    due = (await room.rows("select due_at from segment_state where segment_id = %(id)s", id=segment_id))[0][0]
    assert due <= datetime.now(UTC) + timedelta(hours=6)
    await room.evaluate(datetime.now(UTC) + AWAY)
    assert await room.held(segment_id) == await room.true(segment_id, datetime.now(UTC) + AWAY) == []


async def test_hours_that_pass_are_followed_by_the_minute(room: Any) -> None:
    (one,) = await room.people(ContactRow(external_id="1"))
    await room.event(one, "cart")
    segment_id = await room.made(HOURS)
    await settled(room, segment_id)
    due = (await room.rows("select due_at from segment_state where segment_id = %(id)s", id=segment_id))[0][0]
    assert due <= datetime.now(UTC) + timedelta(minutes=15)
    await room.evaluate(datetime.now(UTC) + timedelta(hours=2))
    assert await room.held(segment_id) == []


async def test_the_end_of_an_addresss_block_is_noticed(room: Any) -> None:
    (one,) = await room.people(ContactRow(external_id="1", email="a@example.com"))
    ends = datetime.now(UTC) + timedelta(seconds=2)
    await room.rows("update address set blocked_until = %(ends)s where org_id = %(org_id)s", ends=ends)
    segment_id = await room.made({"is": "address_state", "kind": "email", "state": "active"})
    await room.check(ends - timedelta(seconds=1))
    assert (await room.held(segment_id), await room.waiting()) == ([], [])
    await room.check(ends + timedelta(seconds=1))
    assert [contact_id for contact_id, _ in await room.waiting()] == [one]


async def test_a_condition_that_costs_too_much_is_not_begun(room: Any) -> None:
    async with room.db.connection() as conn:
        with pytest.raises(TooExpensive, match="segment_max_cost"):
            await people.preview(conn, room.org_id, read(TOWN), datetime.now(UTC), limits=Limits(cost=1))


async def test_a_segment_that_costs_too_much_stands_still_and_the_others_go_on(room: Any) -> None:
    segment_id = await room.segment(TOWN)
    room.limits = Limits(cost=1)
    await room.evaluate()
    standing = await room.standing(segment_id)
    assert standing.status == "too_expensive"
    assert "segment_max_cost" in standing.error
    (one,) = await room.people(ContactRow(external_id="1", town="Kyiv"))
    room.limits = Limits()
    other = await room.made(TOWN, "Other")
    assert (await room.held(other), await room.held(segment_id)) == ([one], [])
    await room.evaluate(datetime.now(UTC) + timedelta(hours=6) + AGAIN)
    assert (await room.held(segment_id), (await room.standing(segment_id)).status != "too_expensive") == (
        [one],
        True,
    )


async def test_a_lease_that_ran_out_is_taken_over(room: Any) -> None:
    segment_id = await room.segment(TOWN)
    now = datetime.now(UTC)
    async with room.db.transaction() as conn:
        assert await store.take_due(conn, now, now + timedelta(minutes=15)) is not None
    assert await room.evaluate(now + timedelta(minutes=1)) == 0
    assert await room.evaluate(now + timedelta(minutes=16)) > 0
    assert (await room.standing(segment_id)).status != "building"


async def test_a_segment_whose_turn_the_database_refused_is_due_again_soon(
    room: Any, database_url: str
) -> None:
    await room.segment(TOWN)
    now = datetime.now(UTC)
    async with room.db.transaction() as conn:
        await store.lock_organisation(conn, room.org_id)
        async with Database(database_url, statement_timeout_ms=200) as hurried:
            with pytest.raises(OperationalError):
                await Evaluator(hurried, room.limits, RECHECK).evaluate_due(now)
    async with room.db.transaction() as conn:
        soon = datetime.now(UTC) + timedelta(minutes=2)
        assert await store.take_due(conn, soon, soon + timedelta(minutes=15)) is not None
