"""Where mail goes, by operator, and what replies made of it: slowed, stopped for a while, stopped until a person looks.

The state is in the database: it survives restarts and is shared by all processes.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from perigee.db.pool import Connection, Database
from perigee.db.queries import load
from perigee.delivery.pace import Bucket, Place
from perigee.errors import Invalid, NotFound

q = load(__package__)

SLOW_SHARE = 0.05
"""A destination is slowed when more than this part of a window's answers from it asked for that."""
HALVE_SECONDS = 10.0
"""At most one halving in that time, by whichever process."""
STEP_SECONDS = 30.0
"""After each such time without trouble the rate doubles, until it is what it was."""
LEAST_SHARE = 1 / 16
"""A destination is never slowed below this part of its full rate."""
LEAST_FULL = 20.0
"""Messages a second: nobody is slowed from less, so that the few are not held up for the many."""
STOP_SECONDS = 600.0
BREAKER_WINDOW, BREAKER_REFUSED = 200, 10
"""More than so many refusals for reputation or content among the last answers (5 % of 200) stop a destination."""


class Destination(msgspec.Struct):
    """A destination with a limit of the organisation's own, or in trouble. `rate` is what goes there a second now,
    `stopped` that nothing does, until `stopped_until` or, without it, until a person lifts the stop."""

    name: str
    provider_id: int | None = None
    per_second: float | None = None
    rate: float | None = None
    stopped: bool = False
    stopped_until: datetime | None = None
    reason: str | None = None


class State(NamedTuple):
    """As a row is read: `stopped` seconds from now, infinite until lifted; `age` seconds since the last halving."""

    rate: float | None
    full_rate: float | None
    age: float
    stopped: float

    def now(self) -> float | None:
        """The rate allowed now; None when it is over."""
        if self.rate is None or self.full_rate is None:
            return None
        grown = self.rate * 2.0 ** min(self.age // STEP_SECONDS, 60)
        return None if grown >= self.full_rate else grown


def make_place(name: str, bucket: str, limit: float | None, state: State | None) -> Place:
    """As limit and state together say."""
    slowed = state.now() if state is not None else None
    rates = [rate for rate in (limit, slowed) if rate is not None]
    return Place(
        name,
        Bucket(bucket, min(rates), seconds=1.0) if rates else None,
        max(0.0, state.stopped) if state else 0.0,
    )


class Breaker:
    """The last answers of destinations, as this process saw them."""

    def __init__(self) -> None:
        self._answers: dict[tuple[int, int, str], deque[bool]] = {}

    def count(self, key: tuple[int, int, str], answers: int, refused: int) -> bool:
        """Notes a window's answers, `refused` of them for reputation or content. True when it is too much; then it
        begins anew."""
        if not refused and key not in self._answers:
            return False
        seen = self._answers.setdefault(key, deque(maxlen=BREAKER_WINDOW))
        seen.extend([False] * (answers - refused) + [True] * refused)
        if sum(seen) <= BREAKER_REFUSED:
            return False
        del self._answers[key]
        return True


class Speeds:
    """Messages a second that this process brought to a destination lately: what a first halving starts from."""

    SECONDS = 10.0

    def __init__(self) -> None:
        self._seen: dict[tuple[int, int, str], tuple[float, int]] = {}

    def count(self, key: tuple[int, int, str], messages: int) -> None:
        began, so_far = self._seen.get(key, (time.monotonic(), 0))
        if time.monotonic() - began > self.SECONDS:
            began, so_far = time.monotonic(), 0
        self._seen[key] = began, so_far + messages
        if len(self._seen) > 10_000:
            self._seen.clear()

    def of(self, key: tuple[int, int, str]) -> float:
        began, messages = self._seen.get(key, (time.monotonic(), 0))
        return max(LEAST_FULL, messages / max(1.0, time.monotonic() - began))


async def slow(
    database: Database, org_id: int, provider_id: int, speeds: Mapping[str, float], reason: str
) -> None:
    """Halves the rate of destinations; `speeds`: what they had, for those that are not slowed yet."""
    async with database.transaction() as connection:
        await connection.execute(
            q.slow_destinations,
            {
                "org_id": org_id,
                "provider_id": provider_id,
                "names": sorted(speeds),
                "speeds": [speeds[name] for name in sorted(speeds)],
                "reason": reason[:300],
                "step": STEP_SECONDS,
                "pause": HALVE_SECONDS,
                "least": LEAST_SHARE,
            },
        )


async def stop(
    database: Database, org_id: int, provider_id: int, name: str, seconds: float | None, reason: str
) -> None:
    """Nothing goes there for so long; None: until a person lifts it."""
    values = {
        "org_id": org_id,
        "provider_id": provider_id,
        "name": name,
        "seconds": seconds,
        "reason": reason[:300],
    }
    async with database.transaction() as connection:
        await connection.execute(q.stop_destination, values)


async def list_destinations(connection: Connection, org_id: int) -> list[Destination]:
    rows = await (await connection.execute(q.list_destinations, {"org_id": org_id})).fetchall()
    return [
        Destination(
            name,
            provider_id,
            limit,
            State(rate, full, age, 0.0).now() if rate is not None else None,
            stopped,
            until,
            reason or None,
        )
        for name, provider_id, limit, rate, full, age, stopped, until, reason in rows
    ]


async def limit(connection: Connection, org_id: int, name: str, per_second: float) -> None:
    """The organisation's own limit, instead of what the installation says."""
    if per_second <= 0:
        raise Invalid.of("per_second", per_second, "must be above 0")
    values = {"org_id": org_id, "name": name.lower(), "per_second": per_second}
    await connection.execute(q.limit_destination, values)


async def forget(connection: Connection, org_id: int, name: str) -> None:
    """Takes back the limit and lifts what replies brought about. Raises NotFound when there is neither."""
    row = await (
        await connection.execute(q.forget_destination, {"org_id": org_id, "name": name.lower()})
    ).fetchone()
    if row is None or not row[0]:
        raise NotFound(f"destination {name} has no limit and no trouble")
