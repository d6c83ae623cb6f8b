"""Events that were refused, kept for a while so that somebody can see what the sender does wrong."""

from __future__ import annotations

from collections.abc import Sequence

from perigee.db.pool import Connection
from perigee.errors import Invalid
from perigee.events import store
from perigee.events.intake import CleanEvent
from perigee.events.types import EventErrorRow, EventType
from perigee.lib import json_edge

BODY_LENGTH = 2000
"""Characters of the parameters, as JSON, that are kept."""
DAYS = 30
"""How long; upkeep deletes older ones."""


async def keep(
    conn: Connection, org_id: int, refused: Sequence[tuple[CleanEvent, Invalid]], types: dict[str, EventType]
) -> None:
    """In the transaction of the batch they came with."""
    if refused:
        await store.insert_event_errors(
            conn,
            org_id,
            type_ids=[
                kind.event_type_id if (kind := types.get(event.type_key)) else None for event, _ in refused
            ],
            type_keys=[event.type_key for event, _ in refused],
            event_keys=[event.event_key for event, _ in refused],
            reasons=[error.message for _, error in refused],
            bodies=[json_edge.encode(event.params).decode()[:BODY_LENGTH] for event, _ in refused],
        )


async def listed(
    conn: Connection, org_id: int, *, event_type_id: int | None, before: int, limit: int
) -> list[EventErrorRow]:
    """Newest first; `before` 0 is the first page."""
    return await store.event_errors(conn, org_id, event_type_id=event_type_id, before=before, limit=limit)


async def prune(conn: Connection) -> None:
    await store.prune_event_errors(conn, DAYS)
