"""Event types by key, made on demand."""

from __future__ import annotations

from collections.abc import Iterable

from perigee.db.pool import Connection
from perigee.events import store
from perigee.events.types import EventType


async def ensure_types(
    conn: Connection, org_id: int, keys: Iterable[str], *, category: str = "other"
) -> dict[str, EventType]:
    """Every key with its type; unknown keys become types of `category`. Keys are taken as checked (events.keys)."""
    wanted = sorted(set(keys))
    found = await store.event_types(conn, org_id, wanted)
    if missing := [key for key in wanted if key not in found]:
        await store.insert_event_types(conn, org_id, missing, category)
        found |= await store.event_types(conn, org_id, missing)
    return found
