"""Works segments out as a whole: when they are made or changed, when a date moves them, and now and then to be sure.

A new rule is read into the table by one statement (`building`). After that nothing but `apply` writes there: the whole
evaluation only finds the contacts whose place is not what the rule says, and has them worked in like changed ones.
`horizon` closes the gap in between: a transaction that began before the segment was known told nobody what it changed,
so the segment is looked at again until the last of them has ended (`settling`).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from psycopg import errors as pg

from perigee.db.pool import Connection, Database
from perigee.errors import PerigeeError, Unavailable
from perigee.segments import store as segments
from perigee.segments.compile import Compiled, compile_ids
from perigee.segments.limits import Limits, TooExpensive, afford, bounded
from perigee.segments.live import store
from perigee.segments.live.apply import apply
from perigee.segments.live.faults import told
from perigee.segments.live.plans import Planner, Plans
from perigee.segments.live.timing import next_change
from perigee.segments.live.types import Due, Status
from perigee.segments.narrow import narrow

SECONDS = 0.5
"""How often segments that are due are looked for."""
LEASE = timedelta(minutes=15)
SETTLE = timedelta(seconds=2)
SOON = timedelta(minutes=1)
"""When a segment is tried again for which the database was busy."""
CHUNK = 5_000
MOST = 200_000
"""Differences worked in by one evaluation; more are left to the next, which follows at once."""


class Evaluator:
    """One evaluation at a time in a worker, so that segments never crowd out the rest."""

    def __init__(self, database: Database, limits: Limits, recheck: timedelta) -> None:
        self._database = database
        self._limits = limits
        self._recheck = recheck
        self._planner = Planner()

    async def turn(self) -> None:
        while await self.evaluate_due(datetime.now(UTC)):
            pass

    async def evaluate_due(self, now: datetime) -> bool:
        """Takes the segment that waits longest; False when none does. What the database refuses for the moment (a lock
        that is held for long) is raised, and the segment is due again in a minute."""
        async with self._database.transaction() as conn:
            due = await store.take_due(conn, now, now + LEASE)
        if due is None:
            return False
        if due.status == "dropped":
            await self._sweep(due)
            return True
        try:
            await _Evaluation(self._database, self._planner, self._limits, self._recheck, due, now).run()
        except (TooExpensive, Unavailable) as error:
            await self._failed(due, "too_expensive", error, now + self._recheck)
        except (PerigeeError, pg.DataError) as error:
            await self._failed(due, "failed", error, now + timedelta(minutes=10))
        except pg.OperationalError:
            async with self._database.transaction() as conn:
                await store.put_back(conn, due, datetime.now(UTC) + SOON)
            raise
        return True

    async def _failed(self, due: Due, status: Status, error: Exception, due_at: datetime) -> None:
        message = told(error, org_id=due.org_id, segment_id=due.segment_id)
        async with self._database.transaction() as conn:
            await store.failed(conn, due.org_id, due.segment_id, status, message, due_at, due.lease)

    async def _sweep(self, due: Due) -> None:
        while True:
            async with self._database.transaction() as conn:
                if await store.sweep(conn, due.org_id, due.segment_id, CHUNK) < CHUNK:
                    await store.forget(conn, due.org_id, due.segment_id)
                    return


class Differences(NamedTuple):
    contact_ids: list[int]
    settled: bool


class _Evaluation:
    def __init__(
        self,
        database: Database,
        planner: Planner,
        limits: Limits,
        recheck: timedelta,
        due: Due,
        now: datetime,
    ) -> None:
        self.database = database
        self.planner = planner
        self.limits = limits
        self.recheck = recheck
        self.due = due
        self.org_id, self.segment_id = due.org_id, due.segment_id
        self.now = now
        self.began = datetime.now(UTC)

    async def run(self) -> None:
        plans = await self._watch()
        if self.segment_id not in plans.plans:
            raise Unavailable("The condition cannot be read any more: it names too many segments")
        if self.due.status == "building":
            await self._build(plans)
        elif self.due.status in ("failed", "too_expensive"):
            await self._resume()
        found = await self._differences(plans)
        for start in range(0, len(found.contact_ids), CHUNK):
            await self._work_in(plans, found.contact_ids[start : start + CHUNK])
        await self._finish(plans, found)

    async def _watch(self) -> Plans:
        """From here on everybody tells what the condition looks at."""
        async with self.database.transaction() as conn:
            await store.lock_organisation(conn, self.org_id)
            plans = await self.planner.of(conn, self.org_id, self.now)
            plan = plans.plans.get(self.segment_id)
            if plan is not None:
                await store.widen(conn, self.org_id, self.segment_id, plan.kinds)
        if plan is not None:
            async with self.database.transaction() as conn:
                await store.mark_horizon(conn, self.org_id, self.segment_id, plan.shape)
        return plans

    async def _build(self, plans: Plans) -> None:
        async with self.database.transaction() as conn, bounded(conn, self.limits):
            holds = await self._compiled(conn, plans)
            values = {**holds.values, "live_segment": self.segment_id, "live_now": self.now}
            await conn.execute(_BUILD.format(holds=holds.sql).encode(), values, prepare=False)
            await store.follow(conn, self.due, self.now)

    async def _resume(self) -> None:
        async with self.database.transaction() as conn:
            await store.follow(conn, self.due, self.now)

    async def _differences(self, plans: Plans) -> Differences:
        async with self.database.transaction() as conn:
            # Whoever works changes in by an older rule has finished when this is granted.
            await store.lock_organisation(conn, self.org_id)
        async with self.database.transaction() as conn:
            settled = await store.settled(conn, self.org_id, self.segment_id)
            async with bounded(conn, self.limits):
                holds = await self._compiled(conn, plans)
                values = {**holds.values, "live_segment": self.segment_id, "live_most": MOST}
                ids = await segments.column(conn, _DIFFERENCES.format(holds=holds.sql), values)
        return Differences(ids, settled)

    async def _compiled(self, conn: Connection, plans: Plans) -> Compiled:
        reading = await narrow(conn, plans.reading(self.segment_id, self.now))
        compiled = compile_ids(*reading)
        await afford(conn, compiled.sql, compiled.values, self.limits)
        return compiled

    async def _work_in(self, plans: Plans, contact_ids: list[int]) -> None:
        async with self.database.transaction() as conn:
            await store.lock_organisation(conn, self.org_id)
            await apply(conn, self.org_id, plans, {self.segment_id: contact_ids}, self.now)

    async def _finish(self, plans: Plans, found: Differences) -> None:
        took = datetime.now(UTC) - self.began
        moment = plans.world(self.now).moment
        due_at = next_change(plans.plans[self.segment_id].tree, moment, took=took, recheck=self.recheck)
        if not found.settled:
            due_at = min(due_at, self.now + max(SETTLE, took * 5))
        if len(found.contact_ids) == MOST:
            due_at = self.now
        async with self.database.transaction() as conn:
            await store.lock_organisation(conn, self.org_id)
            count = await store.built(
                conn,
                self.due,
                "ready" if found.settled else "settling",
                now=self.now,
                took_ms=round(took.total_seconds() * 1000),
                due_at=due_at,
            )
            if count is not None:
                await store.note_count(conn, self.org_id, self.segment_id, moment.today, count)


_BUILD = """
with holds as materialized ({holds}),
gone as (
    delete from segment_live l
    where l.org_id = %(org_id)s::bigint and l.segment_id = %(live_segment)s::bigint
      and not exists (select from holds where holds.contact_id = l.contact_id)
)
insert into segment_live (org_id, segment_id, contact_id, since)
select %(org_id)s::bigint, %(live_segment)s::bigint, contact_id, %(live_now)s::timestamptz from holds
where not exists (
    select from segment_live l
    where l.org_id = %(org_id)s::bigint and l.segment_id = %(live_segment)s::bigint and l.contact_id = holds.contact_id
)
on conflict (org_id, segment_id, contact_id) do nothing
"""

_DIFFERENCES = """
select coalesce(holds.contact_id, live.contact_id)
from ({holds}) as holds
full join (
    select contact_id from segment_live
    where org_id = %(org_id)s::bigint and segment_id = %(live_segment)s::bigint
) as live on live.contact_id = holds.contact_id
where holds.contact_id is null or live.contact_id is null
limit %(live_most)s::bigint
"""
