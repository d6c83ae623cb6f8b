"""Typed functions over queries.sql."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import errors
from psycopg.rows import class_row

from perigee.db.columns import pack
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.errors import Conflict
from perigee.segments.types import Kind, SegmentRow

queries = load(__package__)


async def static_ids(conn: Connection, org_id: int, names: Sequence[str]) -> dict[str, int]:
    cursor = await conn.execute(queries.static_ids, {"org_id": org_id, "names": pack(names)})
    return {str(name): int(segment_id) for name, segment_id in await cursor.fetchall()}


async def insert_static(conn: Connection, org_id: int, names: Sequence[str]) -> None:
    await conn.execute(queries.insert_static, {"org_id": org_id, "names": pack(names)})


async def insert_segment(
    conn: Connection, org_id: int, *, name: str, kind: Kind, condition: str | None, description: str
) -> int:
    """Raises Conflict when there is a list of this name."""
    values = {
        "org_id": org_id,
        "name": name,
        "kind": kind,
        "condition": condition,
        "description": description,
    }
    try:
        async with conn.transaction():  # a savepoint: the caller's transaction survives the refusal
            cursor = await conn.execute(queries.insert_segment, values)
    except errors.UniqueViolation as error:
        raise _named(error, name) from None
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def segment(conn: Connection, org_id: int, segment_id: int) -> SegmentRow | None:
    return await _one(conn, queries.segment, {"org_id": org_id, "segment_id": segment_id})


async def lock_segment(conn: Connection, org_id: int, segment_id: int) -> SegmentRow | None:
    return await _one(conn, queries.lock_segment, {"org_id": org_id, "segment_id": segment_id})


async def segments_by_ids(conn: Connection, org_id: int, segment_ids: Sequence[int]) -> list[SegmentRow]:
    return await _many(conn, queries.segments_by_ids, {"org_id": org_id, "segment_ids": list(segment_ids)})


async def dynamic_segments(conn: Connection, org_id: int) -> list[SegmentRow]:
    return await _many(conn, queries.dynamic_segments, {"org_id": org_id})


async def list_segments(
    conn: Connection, org_id: int, *, part: str | None, after: int, skip: int, rows: int
) -> list[SegmentRow]:
    values = {"org_id": org_id, "part": part, "after": after, "skip": skip, "rows": rows}
    return await _many(conn, queries.list_segments, values)


async def count_segments(conn: Connection, org_id: int, part: str | None) -> int:
    cursor = await conn.execute(queries.count_segments, {"org_id": org_id, "part": part})
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def update_segment(conn: Connection, org_id: int, changed: SegmentRow) -> None:
    """Writes name, description and condition. Raises Conflict when there is another list of this name."""
    values = {
        "org_id": org_id,
        "segment_id": changed.segment_id,
        "name": changed.name,
        "description": changed.description,
        "condition": changed.condition,
    }
    try:
        async with conn.transaction():
            await conn.execute(queries.update_segment, values)
    except errors.UniqueViolation as error:
        raise _named(error, changed.name) from None


async def delete_segment(conn: Connection, org_id: int, segment_id: int) -> None:
    await conn.execute(queries.delete_segment, {"org_id": org_id, "segment_id": segment_id})


async def open_campaign_with(conn: Connection, org_id: int, segment_id: int) -> int | None:
    cursor = await conn.execute(queries.open_campaigns_with, {"org_id": org_id, "segment_id": segment_id})
    row = await cursor.fetchone()
    return int(row[0]) if row else None


async def attach(
    conn: Connection, org_id: int, segment_id: int, contact_ids: Sequence[int], external_ids: Sequence[str]
) -> int:
    """How many were not yet in the list."""
    return await _change(conn, queries.attach, org_id, segment_id, contact_ids, external_ids)


async def detach(
    conn: Connection, org_id: int, segment_id: int, contact_ids: Sequence[int], external_ids: Sequence[str]
) -> int:
    """How many were in the list."""
    return await _change(conn, queries.detach, org_id, segment_id, contact_ids, external_ids)


async def empty(conn: Connection, org_id: int, segment_id: int) -> int:
    """How many were in the list."""
    cursor = await conn.execute(queries.empty, {"org_id": org_id, "segment_id": segment_id})
    return cursor.rowcount


async def _change(
    conn: Connection,
    query: str,
    org_id: int,
    segment_id: int,
    contact_ids: Sequence[int],
    external_ids: Sequence[str],
) -> int:
    values = {
        "org_id": org_id,
        "segment_id": segment_id,
        "contact_ids": [number for number in contact_ids if 0 < number < 2**63],
        "external_ids": list(external_ids),
    }
    return (await conn.execute(query, values)).rowcount


async def _one(conn: Connection, query: str, values: dict[str, Any]) -> SegmentRow | None:
    async with conn.cursor(row_factory=class_row(SegmentRow)) as cursor:
        await cursor.execute(query, values)
        return await cursor.fetchone()


async def _many(conn: Connection, query: str, values: dict[str, Any]) -> list[SegmentRow]:
    async with conn.cursor(row_factory=class_row(SegmentRow)) as cursor:
        await cursor.execute(query, values)
        return await cursor.fetchall()


def _named(error: errors.UniqueViolation, name: str) -> Conflict:
    assert error.diag.constraint_name == "segment_static_name"
    return Conflict(f"name: '{name[:80]}' is the name of another list")
