"""Follows changes: takes contacts out of the queue and works them into the segments that look at what changed.

Taking and working in are one transaction, so a worker that dies leaves the queue as it was. One worker at a time is at
an organisation; what others write meanwhile waits for the next turn.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import structlog
from psycopg import errors as pg

from perigee.db.pool import Connection, Database
from perigee.segments import kinds as of
from perigee.segments.live import store
from perigee.segments.live.apply import apply
from perigee.segments.live.faults import told
from perigee.segments.live.plans import Planner, Plans
from perigee.segments.live.types import Status

log = structlog.get_logger()

SECONDS = 0.1
"""How often the queues are looked at."""
ROWS = 5_000
"""Changes worked in by one transaction."""
SENDERS = 1
"""The lane that senders write to; 0 is everybody else's."""
REST = 12
"""What senders wrote is worked in for one part of the time, and rested for so many: sending goes first."""
PAUSE = 4
"""So many times as long as it took, an organisation's other changes gather before they are worked in again: asking about
many costs little more than asking about one."""
MOST_PAUSE = 0.4
"""Seconds; people wait to see these."""
AGAIN = timedelta(hours=1)
"""When a segment that failed is tried again."""


class Follower:
    """Give it a database of one connection of its own, which keeps the prepared statements of all segments."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._planner = Planner()
        self._rested_at = 0.0
        self._paused_until: dict[int, float] = {}

    async def turn(self) -> None:
        """Until nothing waits, or nothing but what must rest."""
        while await self._round():
            pass

    async def _round(self) -> bool:
        async with self._database.connection() as conn:
            conn.prepared_max = 1000
            waiting = await store.busy(conn)
        clock = asyncio.get_running_loop().time
        worked = False
        for org_id, lane in waiting:
            if lane == SENDERS and (worked or clock() < self._rested_at):
                continue
            if lane != SENDERS and clock() < self._paused_until.get(org_id, 0.0):
                continue
            began = clock()
            drained = await drain(self._database, self._planner, org_id, lane, datetime.now(UTC))
            worked |= drained > 0
            took = clock() - began
            if lane == SENDERS:
                self._rested_at = clock() + REST * took
            elif 0 < drained < ROWS:
                self._paused_until[org_id] = clock() + min(PAUSE * took, MOST_PAUSE)
        return worked


async def drain(database: Database, planner: Planner, org_id: int, lane: int, now: datetime) -> int:
    """Works in up to `ROWS` changes and returns how many; none when another worker is at it."""
    try:
        async with database.transaction() as conn:
            return await _drain(conn, planner, org_id, lane, now)
    except (pg.QueryCanceled, pg.DataError) as error:
        log.warning("a live segment failed, looking for it", org_id=org_id, error=str(error).split("\n")[0])
    async with database.transaction() as conn:
        return await _drain(conn, planner, org_id, lane, now, carefully=True)


async def _drain(
    conn: Connection, planner: Planner, org_id: int, lane: int, now: datetime, *, carefully: bool = False
) -> int:
    if not await store.try_lock_organisation(conn, org_id):
        return 0
    changes = await store.claim(conn, org_id, lane, ROWS)
    if not changes:
        return 0
    plans = await planner.of(conn, org_id, now)
    asked = concerned(plans, await store.followed(conn, org_id), changes)
    if carefully:
        await _apply_one_by_one(conn, org_id, plans, asked, now)
    else:
        await apply(conn, org_id, plans, asked, now)
    await store.drained(conn, org_id, now)
    return len(changes)


def concerned(plans: Plans, followed: set[int], changes: list[tuple[int, int]]) -> dict[int, list[int]]:
    """The contacts that each segment must be asked about. Pure."""
    merged: defaultdict[int, int] = defaultdict(int)
    for contact_id, kinds in changes:
        merged[contact_id] |= kinds
    by_kinds: defaultdict[int, list[int]] = defaultdict(list)
    for contact_id, kinds in merged.items():
        by_kinds[kinds].append(contact_id)
    asked = {}
    for segment_id in sorted(followed & plans.plans.keys()):
        looks_at = plans.plans[segment_id].kinds | of.PRESENCE
        ids = [one for kinds, group in by_kinds.items() if kinds & looks_at for one in group]
        if ids:
            asked[segment_id] = sorted(ids)
    return asked


async def _apply_one_by_one(
    conn: Connection, org_id: int, plans: Plans, asked: Mapping[int, list[int]], now: datetime
) -> None:
    for segment_id, ids in asked.items():
        try:
            async with conn.transaction():
                await apply(conn, org_id, plans, {segment_id: ids}, now)
        except (pg.QueryCanceled, pg.DataError) as error:
            status: Status = "too_expensive" if isinstance(error, pg.QueryCanceled) else "failed"
            message = told(error, org_id=org_id, segment_id=segment_id)
            await store.failed(conn, org_id, segment_id, status, message, now + AGAIN)
