"""What is asked of the live segments when a rule is written. The work itself is a worker's."""

from __future__ import annotations

from datetime import datetime

from perigee.db.pool import Connection
from perigee.segments import kinds as of
from perigee.segments.live import store


async def rule_written(conn: Connection, org_id: int, segment_id: int, now: datetime) -> None:
    """A dynamic segment is new, or has another condition: its people are worked out anew. Until that has begun anything
    may concern it."""
    await store.watch(conn, org_id, of.ANY)
    await store.request(conn, org_id, segment_id, of.ANY, now, rebuild=True)


async def rule_gone(conn: Connection, org_id: int, segment_id: int, now: datetime) -> None:
    await store.watch(conn, org_id, 0)
    await store.drop(conn, org_id, segment_id, now)


async def recalculate(conn: Connection, org_id: int, segment_id: int, now: datetime) -> None:
    """Everybody is asked anew; who is wrongly in or out is put right."""
    await store.request(conn, org_id, segment_id, 0, now, rebuild=False)
