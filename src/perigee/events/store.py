"""Typed access to the event tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from perigee.db.columns import pack, pack_numbers
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.events.types import EventParameter, EventRow, EventType, EventTypeRow, Identity, Person

q = load(__package__)


async def event_types(conn: Connection, org_id: int, keys: Sequence[str]) -> dict[str, EventType]:
    cursor = await conn.execute(q.event_types, {"org_id": org_id, "keys": pack(keys)})
    return {
        key: EventType(type_id, key, segments, validate, msgspec.convert(params, list[EventParameter]), param)
        for type_id, key, segments, validate, params, param in await cursor.fetchall()
    }


async def insert_event_types(conn: Connection, org_id: int, keys: Sequence[str], category: str) -> None:
    await conn.execute(q.insert_event_types, {"org_id": org_id, "keys": pack(keys), "category": category})


async def insert_events(
    conn: Connection,
    org_id: int,
    *,
    occurred: Sequence[datetime | None],
    type_ids: Sequence[int],
    keys: Sequence[str | None],
    contact_ids: Sequence[int | None],
    params: Sequence[str],
    sources: Sequence[str],
) -> list[int]:
    """Ids in the order of the columns, which must not be empty."""
    cursor = await conn.execute(
        q.insert_events,
        {
            "org_id": org_id,
            "occurred": pack(None if at is None else at.isoformat() for at in occurred),
            "type_ids": pack_numbers(type_ids),
            "keys": pack(keys),
            "contact_ids": pack_numbers(contact_ids),
            "params": pack(params),
            "sources": pack(sources),
        },
    )
    return sorted(event_id for (event_id,) in await cursor.fetchall())


async def match_people(
    conn: Connection, org_id: int, identities: Sequence[Identity], *, narrow: bool
) -> list[Person | None]:
    cursor = await conn.execute(
        q.match_people,
        {
            "org_id": org_id,
            "narrow": narrow,
            "contact_ids": pack_numbers(who.contact_id for who in identities),
            "external_ids": pack(who.external_id for who in identities),
            "emails": pack(who.email for who in identities),
            "phones": pack(who.phone for who in identities),
            "tokens": pack(who.token for who in identities),
            "contact_keys": pack(who.contact_key for who in identities),
        },
    )
    found: list[Person | None] = [None] * len(identities)
    for number, *person in await cursor.fetchall():
        found[number - 1] = Person(*person)
    return found


async def delete_events(conn: Connection, org_id: int, first: datetime, end: datetime, source: str) -> int:
    cursor = await conn.execute(
        q.delete_events, {"org_id": org_id, "first": first, "end": end, "source": source}
    )
    return cursor.rowcount


async def list_event_types(conn: Connection, org_id: int, *, behind: int, limit: int) -> list[EventTypeRow]:
    cursor = await conn.execute(q.list_event_types, {"org_id": org_id, "behind": behind, "limit": limit})
    return [_type_row(row) for row in await cursor.fetchall()]


async def get_event_type(conn: Connection, org_id: int, event_type_id: int) -> EventTypeRow | None:
    cursor = await conn.execute(q.get_event_type, {"org_id": org_id, "event_type_id": event_type_id})
    row = await cursor.fetchone()
    return None if row is None else _type_row(row)


def _type_row(row: tuple[Any, ...]) -> EventTypeRow:
    return msgspec.convert(dict(zip(EventTypeRow.__struct_fields__, row, strict=True)), EventTypeRow)


async def update_event_type(conn: Connection, org_id: int, event_type_id: int, **columns: object) -> bool:
    """None leaves a column as it is. False: there is no such type."""
    cursor = await conn.execute(
        q.update_event_type, {"org_id": org_id, "event_type_id": event_type_id, **columns}
    )
    return await cursor.fetchone() is not None


async def contact_exists(conn: Connection, org_id: int, contact_id: int) -> bool:
    row = await (
        await conn.execute(q.contact_exists, {"org_id": org_id, "contact_id": contact_id})
    ).fetchone()
    return bool(row and row[0])


async def contact_events(
    conn: Connection, org_id: int, contact_id: int, behind: tuple[datetime, int] | None, limit: int
) -> list[EventRow]:
    before, before_id = behind or (None, None)
    cursor = await conn.execute(
        q.contact_events,
        {
            "org_id": org_id,
            "contact_id": contact_id,
            "before": before,
            "before_id": before_id,
            "limit": limit,
        },
    )
    return [EventRow(*row) for row in await cursor.fetchall()]
