"""Whose a visitor is (TRACKING 1.3), set-wise and over time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from perigee.db.group_commit import run_set
from perigee.db.pool import Database
from perigee.errors import Limited
from perigee.events.types import Identity
from perigee.site import store
from perigee.site.flood import Flood
from perigee.site.track import track
from perigee.site.types import Bound, Strength, Tracked
from perigee.site.visitors import Sighting, bind
from perigee.testing.api import Api

NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("before", "strength", "wins"),
    [
        (None, Strength.WEB_PUSH, True),
        (Strength.WEB_PUSH, Strength.LINK, True),
        (Strength.LINK, Strength.NAMED, True),
        (Strength.NAMED, Strength.NAMED, True),
        (Strength.NAMED, Strength.LINK, False),
        (Strength.LINK, Strength.WEB_PUSH, False),
    ],
)
def test_an_equal_or_stronger_sign_wins(before: Strength | None, strength: Strength, wins: bool) -> None:
    known = {} if before is None else {"v": Bound(1, before)}
    assert bind(known, [Sighting("v", 2, strength)]) == ({"v": Bound(2, strength)} if wins else {})


def test_signs_of_one_set_count_in_their_order() -> None:
    signs = [
        Sighting("v", 1, Strength.LINK),
        Sighting("v", 2, Strength.NAMED),
        Sighting("v", 3, Strength.LINK),
    ]
    assert bind({}, signs) == {"v": Bound(2, Strength.NAMED)}
    assert bind({}, [Sighting("v", None, Strength.NAMED), Sighting(None, 1, Strength.NAMED)]) == {}


def event(visitor: str | None, who: Identity | None = None, **more: Any) -> Tracked:
    return Tracked(visitor, who or Identity(), NOW, "pageViewed", visitor)._replace(**more)


async def person(api: Api) -> int:
    answer = await api.post("/api/v1/contact", {"channels": [{"type": "email", "value": "anna@example.com"}]})
    return int(answer.json()["id"])


async def test_one_set_may_hold_visits_before_and_after_the_name(api: Api) -> None:
    anna = await person(api)
    named = Identity(email="anna@example.com")
    await run_set(api.db, track, api.org_id, [event("v"), event("v", named), event("v"), event("w")])
    rows = await api.rows("select contact_id from event where org_id = %(org_id)s order by event_id")
    assert [row[0] for row in rows] == [anna, anna, anna, None]


async def test_a_visit_that_was_written_while_its_visitor_was_bound_is_found_later(api: Api) -> None:
    anna = await person(api)
    await run_set(api.db, track, api.org_id, [event("v")])
    async with api.db.transaction() as connection:
        await store.bind_visitors(connection, api.org_id, {"v": Bound(anna, Strength.NAMED)})
    await run_set(api.db, track, api.org_id, [event("v")])
    rows = await api.rows("select distinct contact_id from event where org_id = %(org_id)s")
    assert rows == [(anna,)]


async def test_two_processes_count_one_order_once(api: Api) -> None:
    order = event("v", type_key="purchase", event_key="SO-1", once=("order SO-1", "tracked 0f8b"))
    await asyncio.gather(*(run_set(api.db, track, api.org_id, [order, order]) for _ in range(4)))
    assert await api.rows("select count(*) from event where org_id = %(org_id)s") == [(1,)]


async def test_a_type_that_is_not_used_for_segments_never_joins_a_contact(api: Api) -> None:
    anna = await person(api)
    await run_set(api.db, track, api.org_id, [event("v")])
    await api.rows(
        "update event_type set use_for_segments = false where org_id = %(org_id)s and key = 'pageViewed'"
    )
    await run_set(api.db, track, api.org_id, [event("w"), event("w", Identity(email="anna@example.com"))])
    rows = await api.rows("select contact_id from event where org_id = %(org_id)s")
    assert (anna,) not in rows


async def test_old_visits_stop_waiting_and_stay_nobodys(api: Api, db: Database) -> None:
    await run_set(db, track, api.org_id, [event("v", once=("cart g1",))])
    for table, column in (("visitor_event", "occurred_at"), ("tracked_once", "seen_at")):
        await api.rows(f"update {table} set {column} = now() - interval '91 days' where org_id = %(org_id)s")
    await run_set(db, track, api.org_id, [event("w", once=("cart g2",))])
    async with db.transaction() as connection:
        await store.prune(connection, 90)
    assert await api.rows("select visitor_id from visitor_event where org_id = %(org_id)s") == [("w",)]
    assert await api.rows("select key from tracked_once where org_id = %(org_id)s") == [("cart g2",)]
    assert await api.rows("select count(*) from event where org_id = %(org_id)s") == [(2,)]


def test_a_flood_of_one_address_is_held_back_and_ebbs_away() -> None:
    now = [0.0]
    flood = Flood(2, clock=lambda: now[0])
    for _ in range(20):
        flood.admit("a")
    with pytest.raises(Limited):
        flood.admit("a")
    flood.admit("b")
    now[0] = 0.5
    flood.admit("a")
    with pytest.raises(Limited):
        flood.admit("a")


def test_no_limit_is_no_limit() -> None:
    flood = Flood(0)
    for _ in range(1000):
        flood.admit("a")
