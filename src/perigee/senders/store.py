"""Typed access to senders. All that are shown or counted are confirmed."""

from __future__ import annotations

from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.senders.types import Sender

q = load(__package__)


async def upsert_sender(conn: Connection, org_id: int, channel: str, value: str) -> Sender:
    """A confirmed sender, new or known. `value` as `forms.normal` makes it."""
    cursor = await conn.execute(q.upsert_sender, {"org_id": org_id, "channel": channel, "value": value})
    row = await cursor.fetchone()
    assert row is not None
    return Sender(*row)


async def list_senders(conn: Connection, org_id: int, channel: str | None = None) -> list[Sender]:
    """Oldest first."""
    cursor = await conn.execute(q.list_senders, {"org_id": org_id, "channel": channel})
    return [Sender(*row) for row in await cursor.fetchall()]


async def delete_sender(conn: Connection, org_id: int, sender_id: int) -> bool:
    """Was there one?"""
    cursor = await conn.execute(q.delete_sender, {"org_id": org_id, "sender_id": sender_id})
    return await cursor.fetchone() is not None
