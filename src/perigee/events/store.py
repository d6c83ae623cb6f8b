"""Typed access to the event tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from perigee.db.columns import pack, pack_numbers
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.events.types import (
    EventErrorRow,
    EventFilter,
    EventParameter,
    EventRow,
    EventType,
    EventTypeRow,
    HistoryRow,
    Identity,
    Person,
    TypeDay,
)

q = load(__package__)


async def event_types(conn: Connection, org_id: int, keys: Sequence[str]) -> dict[str, EventType]:
    cursor = await conn.execute(q.event_types, {"org_id": org_id, "keys": pack(keys)})
    return {
        key: EventType(type_id, key, segments, validate, msgspec.convert(params, list[EventParameter]), param)
        for type_id, key, segments, validate, params, param in await cursor.fetchall()
    }


async def insert_event_types(conn: Connection, org_id: int, keys: Sequence[str], category: str) -> int:
    """How many are new."""
    cursor = await conn.execute(
        q.insert_event_types, {"org_id": org_id, "keys": pack(keys), "category": category}
    )
    return cursor.rowcount


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


async def delete_event_type(conn: Connection, org_id: int, event_type_id: int) -> bool:
    """With its errors. False: there is no such type."""
    cursor = await conn.execute(q.delete_event_type, {"org_id": org_id, "event_type_id": event_type_id})
    return await cursor.fetchone() is not None


async def span(conn: Connection, org_id: int) -> tuple[datetime, datetime] | None:
    row = await (await conn.execute(q.span, {"org_id": org_id})).fetchone()
    return None if row is None or row[0] is None else (row[0], row[1])


async def delete_type_events(
    conn: Connection, org_id: int, event_type_id: int, first: datetime, last: datetime
) -> None:
    values = {"org_id": org_id, "event_type_id": event_type_id, "first": first, "last": last}
    await conn.execute(q.delete_type_events, values, prepare=False)


async def find_events(
    conn: Connection, org_id: int, wanted: EventFilter, behind: tuple[datetime, int] | None, limit: int
) -> list[HistoryRow]:
    before, before_id = behind or (None, None)
    values = {"org_id": org_id, "before": before, "before_id": before_id, "limit": limit, **wanted._asdict()}
    cursor = await conn.execute(q.find_events, values, prepare=False)
    return [HistoryRow(*row) for row in await cursor.fetchall()]


async def type_figures(conn: Connection, org_id: int, now: datetime) -> list[tuple[Any, ...]]:
    return await (
        await conn.execute(q.type_figures, {"org_id": org_id, "now": now}, prepare=False)
    ).fetchall()


async def type_days(
    conn: Connection, org_id: int, event_type_id: int, first: datetime, last: datetime
) -> list[TypeDay]:
    values = {"org_id": org_id, "event_type_id": event_type_id, "first": first, "last": last}
    return [
        TypeDay(*row) for row in await (await conn.execute(q.type_days, values, prepare=False)).fetchall()
    ]


async def insert_event_errors(
    conn: Connection,
    org_id: int,
    *,
    type_ids: Sequence[int | None],
    type_keys: Sequence[str],
    event_keys: Sequence[str | None],
    reasons: Sequence[str],
    bodies: Sequence[str],
) -> None:
    await conn.execute(
        q.insert_event_errors,
        {
            "org_id": org_id,
            "type_ids": pack_numbers(type_ids),
            "type_keys": pack(type_keys),
            "event_keys": pack(event_keys),
            "reasons": pack(reasons),
            "bodies": pack(bodies),
        },
    )


async def event_errors(
    conn: Connection, org_id: int, *, event_type_id: int | None, before: int, limit: int
) -> list[EventErrorRow]:
    values = {"org_id": org_id, "event_type_id": event_type_id, "before": before, "limit": limit}
    cursor = await conn.execute(q.event_errors, values, prepare=False)
    return [EventErrorRow(*row) for row in await cursor.fetchall()]


async def prune_event_errors(conn: Connection, days: int) -> None:
    await conn.execute(q.prune_event_errors, {"days": days})
