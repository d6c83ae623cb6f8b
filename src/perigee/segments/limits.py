"""What one question about many contacts may cost: time, memory, and what the planner expects before it begins."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from psycopg import errors

from perigee.db.pool import Connection
from perigee.errors import Invalid, Unavailable
from perigee.segments import store
from perigee.settings import Settings


class Limits(NamedTuple):
    """The longest that a statement may keep the database busy (protocols 3.6), and the most that it may be expected to
    cost, in the planner's units: a page of the table read in order is 1."""

    seconds: int = 30
    cost: float = 50_000_000
    work_mem: str = "64MB"

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        return cls(settings.segment_seconds, settings.segment_max_cost)


NORMAL = Limits()


class TooExpensive(Invalid):
    """The condition is expected to cost more than is allowed; nothing was asked of the data."""


@asynccontextmanager
async def bounded(conn: Connection, limits: Limits = NORMAL) -> AsyncIterator[None]:
    """A transaction, or a part of the caller's, whose statements may take so long and have memory for large hashes.

    Raises Unavailable for the one that takes longer; the caller's own transaction goes on.
    """
    try:
        async with conn.transaction():
            before = await store.bound(conn, str(limits.seconds * 1000), limits.work_mem)
            yield
            await store.bound(conn, *before)
    except errors.QueryCanceled:
        raise Unavailable(
            f"The segment takes longer than {limits.seconds} s to work out; narrow its conditions",
            retry_after=60,
        ) from None


async def afford(conn: Connection, sql: str, values: Mapping[str, Any], limits: Limits) -> None:
    """Raises TooExpensive for a compiled condition that the planner expects to cost more than the limit."""
    row = await (
        await conn.execute(b"explain (format json) " + sql.encode(), values, prepare=False)
    ).fetchone()
    assert row is not None
    cost = row[0][0]["Plan"]["Total Cost"]
    if cost > limits.cost:
        raise TooExpensive(
            f"condition: is expected to cost {cost:,.0f} planner units, the most are {limits.cost:,.0f} "
            "(segment_max_cost); narrow it",
            field="condition",
        )
