"""Typed access to what a subscription form touches beside the contact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.segments import kinds
from perigee.segments.live.notes import changed

q = load(__package__)


async def double_opt_in(conn: Connection, org_id: int) -> bool:
    """Whether addresses from forms wait for their owner's word."""
    cursor = await conn.execute(q.double_opt_in, {"org_id": org_id})
    row = await cursor.fetchone()
    return row is None or bool(row[0])


async def category_segments(conn: Connection, org_id: int, keys: Iterable[str]) -> dict[str, int]:
    """Lists of these categories by key; unknown keys are missing."""
    wanted = sorted(set(keys))
    if not wanted:
        return {}
    cursor = await conn.execute(q.category_segments, {"org_id": org_id, "keys": wanted})
    return {str(key): int(segment_id) for key, segment_id in await cursor.fetchall()}


async def email_states(
    conn: Connection, org_id: int, contact_ids: Sequence[int]
) -> dict[int, tuple[str | None, bool, bool, bool]]:
    """Per contact: email, confirmed, unsubscribed, blacklisted."""
    cursor = await conn.execute(q.email_states, {"org_id": org_id, "contact_ids": list(contact_ids)})
    return {row[0]: row[1:] for row in await cursor.fetchall()}


async def join_categories(conn: Connection, org_id: int, members: Sequence[tuple[int, int]]) -> None:
    """(list of a category, contact)."""
    if members:
        chosen = sorted(set(members))
        await conn.execute(
            q.join_categories,
            {
                "org_id": org_id,
                "segment_ids": [segment_id for segment_id, _ in chosen],
                "contact_ids": [contact_id for _, contact_id in chosen],
            },
        )
        await changed(conn, org_id, [contact_id for _, contact_id in chosen], kinds.LISTS)
