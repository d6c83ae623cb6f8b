"""Token buckets in the database: who of a batch may begin now, in one transaction per window of a limited send and in
no statement at all where nothing is limited."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from perigee.db.pool import Connection, Database
from perigee.db.queries import load
from perigee.delivery.destinations import Breaker, Speeds, State, make_place
from perigee.delivery.pace import NO_LIMITS, Bucket, Day, Limits, Place, Share, share
from perigee.lib.rate_rules import read_rules

q = load(__package__)


class Plan(NamedTuple):
    """What limits a provider of an organisation now."""

    limits: Limits
    rates: dict[str, float]
    states: dict[str, State]
    read_at: float

    def limited(self) -> set[str]:
        return self.rates.keys() | self.states.keys()


class Pacing:
    """`rules`: destinations and their rates, as `destinations.read_rules` reads them."""

    REFRESH_SECONDS = 2.0

    def __init__(self, database: Database, rules: str) -> None:
        self._database = database
        self._domains, self._rates = read_rules(rules)
        self._plans: dict[tuple[int, int], Plan] = {}
        self.breaker = Breaker()
        self.speeds = Speeds()

    def place_of(self, address: str) -> str:
        """The destination of an email address."""
        domain = address.rpartition("@")[2].lower()
        return self._domains.get(domain, domain)

    def forget(self, org_id: int, provider_id: int) -> None:
        self._plans.pop((org_id, provider_id), None)

    async def share(
        self, org_id: int, provider_id: int, indexes: range, places: Sequence[str], names: set[str], room: int
    ) -> Share:
        """Who of `indexes` may begin, at most `room`. `places`: the destination of each recipient of the batch, or '';
        `names`: all of them."""
        plan = await self._plan(org_id, provider_id)
        limited = names & plan.limited()
        if not limited and plan.limits is NO_LIMITS:
            return Share(list(indexes[:room]))
        async with self._database.transaction() as connection:
            candidates = ((index, places[index]) for index in indexes)
            return await self._draw(connection, org_id, provider_id, plan, candidates, limited, room)

    async def _plan(self, org_id: int, provider_id: int) -> Plan:
        plan = self._plans.get((org_id, provider_id))
        if plan is not None and time.monotonic() - plan.read_at < self.REFRESH_SECONDS:
            return plan
        async with self._database.connection() as connection:
            values = {"org_id": org_id, "provider_id": provider_id}
            row = await (await connection.execute(q.pace_plan, values)).fetchone()
        assert row is not None
        limits = msgspec.convert(row[0], Limits) if row[0] else NO_LIMITS
        states = {
            name: State(rate, full, age, math.inf if stopped is None else stopped)
            for name, rate, full, age, stopped in row[2]
        }
        plan = Plan(limits, {**self._rates, **row[1]}, states, time.monotonic())
        self._plans[org_id, provider_id] = plan
        return plan

    async def _draw(
        self,
        connection: Connection,
        org_id: int,
        provider_id: int,
        plan: Plan,
        candidates: Iterable[tuple[int, str]],
        limited: set[str],
        room: int,
    ) -> Share:
        buckets = plan.limits.buckets(f"{provider_id}")
        places = {name: self._place(plan, provider_id, name) for name in sorted(limited)}
        all_buckets = [*buckets, *[place.bucket for place in places.values() if place.bucket is not None]]
        today = datetime.now(UTC)
        day = self._day(plan.limits, provider_id, today)
        await self._read(connection, org_id, all_buckets, day, today)
        found = share(candidates, room, buckets, day, places)
        await self._write(connection, org_id, all_buckets, day, today)
        return found

    def _place(self, plan: Plan, provider_id: int, name: str) -> Place:
        return make_place(name, f"{provider_id}/{name}", plan.rates.get(name), plan.states.get(name))

    def _day(self, limits: Limits, provider_id: int, now: datetime) -> Day | None:
        cap = limits.of_day(now.date())
        if cap is None:
            return None
        midnight = datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)
        return Day(f"{provider_id}:day", cap, 0, (midnight - now).total_seconds())

    async def _read(
        self, connection: Connection, org_id: int, buckets: list[Bucket], day: Day | None, now: datetime
    ) -> None:
        """Locks the rows, in one order everywhere, and fills in what they hold."""
        names = sorted([bucket.name for bucket in buckets] + ([day.name] if day else []))
        full = {bucket.name: bucket.burst for bucket in buckets}
        values = {"org_id": org_id, "names": names}
        await connection.execute(q.make_pace, {**values, "tokens": [full.get(name, 0.0) for name in names]})
        cursor = await connection.execute(q.lock_pace, {**values, "today": now.date()})
        rows = {row[0]: row[1:] for row in await cursor.fetchall()}
        for bucket in buckets:
            tokens, seconds, bucket.promised, _ = rows[bucket.name]
            bucket.refill(tokens, seconds)
        if day is not None:
            day.used = rows[day.name][3]

    async def _write(
        self, connection: Connection, org_id: int, buckets: list[Bucket], day: Day | None, now: datetime
    ) -> None:
        await connection.execute(
            q.write_pace,
            {
                "org_id": org_id,
                "names": [bucket.name for bucket in buckets] + ([day.name] if day else []),
                "tokens": [bucket.tokens for bucket in buckets] + ([0.0] if day else []),
                "promised": [bucket.promised for bucket in buckets] + ([0.0] if day else []),
                "used": [0] * len(buckets) + ([day.used] if day else []),
                "today": now.date(),
            },
        )
