"""Writes events down. Everything that makes an event goes through here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from perigee.db.pool import Connection
from perigee.events import store
from perigee.events.types import EventType, NewEvent
from perigee.events.types_registry import ensure_types
from perigee.lib import json_edge
from perigee.segments import kinds
from perigee.segments.live.notes import changed_each


async def record(
    conn: Connection, org_id: int, events: Sequence[NewEvent], *, types: Mapping[str, EventType] | None = None
) -> list[int]:
    """Inserts the set in the caller's transaction; event ids in the order given.

    Keys, texts and parameters are taken as cleaned (events.keys, lib.text). An event of a type that is not used
    for segments is kept without its contact (contract 16). `types` saves a look-up to callers who have them.
    """
    if not events:
        return []
    if types is None:
        types = await ensure_types(conn, org_id, {event.type_key for event in events})
    rows = [(event, types[event.type_key]) for event in events]
    ids = await store.insert_events(
        conn,
        org_id,
        occurred=[event.occurred_at for event in events],
        type_ids=[kind.event_type_id for _, kind in rows],
        keys=[event.event_key for event in events],
        contact_ids=[event.contact_id if kind.use_for_segments else None for event, kind in rows],
        params=[json_edge.encode(event.params).decode() for event in events],
        sources=[event.source for event in events],
    )
    told = {
        (event.contact_id, kinds.event(kind.event_type_id))
        for event, kind in rows
        if event.contact_id is not None and kind.use_for_segments
    }
    await changed_each(conn, org_id, list(told))
    return ids
