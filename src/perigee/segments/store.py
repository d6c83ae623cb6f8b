"""Typed functions over queries.sql."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from psycopg import errors
from psycopg.rows import class_row

from perigee.db.columns import pack
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.errors import Conflict
from perigee.paging.marks import KeyQuery
from perigee.segments import kinds
from perigee.segments.live import notes
from perigee.segments.types import Category, Kind, SegmentRow

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
    return await _many(conn, queries.segments_by_ids, {"org_id": org_id, "segment_ids": _ids(segment_ids)})


async def dynamic_segments(conn: Connection, org_id: int) -> list[SegmentRow]:
    return await _many(conn, queries.dynamic_segments, {"org_id": org_id})


async def list_segments(
    conn: Connection,
    org_id: int,
    *,
    part: str | None,
    after: int,
    skip: int,
    rows: int,
    tag: str | None = None,
) -> list[SegmentRow]:
    values = {"org_id": org_id, "part": part, "tag": tag, "after": after, "skip": skip, "rows": rows}
    return await _many(conn, queries.list_segments, values)


async def count_segments(conn: Connection, org_id: int, part: str | None) -> int:
    cursor = await conn.execute(queries.count_segments, {"org_id": org_id, "part": part})
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def update_segment(conn: Connection, org_id: int, changed: SegmentRow) -> None:
    """Writes name, description, condition and tags. Raises Conflict when there is another list of this name."""
    values = {
        "org_id": org_id,
        "segment_id": changed.segment_id,
        "name": changed.name,
        "description": changed.description,
        "condition": changed.condition,
        "tags": changed.tags,
    }
    try:
        async with conn.transaction():
            await conn.execute(queries.update_segment, values)
    except errors.UniqueViolation as error:
        raise _named(error, changed.name) from None


async def change_tags(
    conn: Connection, org_id: int, segment_ids: Sequence[int], *, add: Sequence[str], remove: Sequence[str]
) -> dict[int, int]:
    """Number of tags that each of them has now."""
    values = {"org_id": org_id, "segment_ids": list(segment_ids), "add": list(add), "remove": list(remove)}
    return dict(await (await conn.execute(queries.change_tags, values)).fetchall())


async def delete_segment(conn: Connection, org_id: int, segment_id: int) -> None:
    """With its memberships."""
    await empty(conn, org_id, segment_id)
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
    values = {"org_id": org_id, "segment_id": segment_id, "kinds": kinds.LISTS}
    row = await (await conn.execute(queries.empty, values)).fetchone()
    assert row is not None
    return int(row[0])


async def organisation(conn: Connection, org_id: int) -> tuple[str, str]:
    """Time zone and currency."""
    row = await (await conn.execute(queries.organisation, {"org_id": org_id})).fetchone()
    assert row is not None
    return row[0], row[1]


async def catalogue_fields(conn: Connection, org_id: int, field_ids: Sequence[int]) -> dict[int, str]:
    """Types of these additional fields by id."""
    return await _pairs(conn, queries.catalogue_fields, {"org_id": org_id, "field_ids": _ids(field_ids)})


async def catalogue_event_types(conn: Connection, org_id: int, keys: Sequence[str]) -> dict[str, int]:
    return await _pairs(conn, queries.catalogue_event_types, {"org_id": org_id, "keys": list(keys)})


async def catalogue_categories(conn: Connection, org_id: int, keys: Sequence[str]) -> dict[str, int]:
    """Segments of these subscription categories by key."""
    return await _pairs(conn, queries.catalogue_categories, {"org_id": org_id, "keys": list(keys)})


async def catalogue_campaigns(conn: Connection, org_id: int, campaign_ids: Sequence[int]) -> frozenset[int]:
    """Those of these campaigns that there are."""
    values = {"org_id": org_id, "campaign_ids": _ids(campaign_ids)}
    return frozenset(await column(conn, queries.catalogue_campaigns, values) if campaign_ids else ())


async def catalogue_messages(conn: Connection, org_id: int, message_ids: Sequence[int]) -> frozenset[int]:
    """Those of these messages that there are."""
    values = {"org_id": org_id, "message_ids": _ids(message_ids)}
    return frozenset(await column(conn, queries.catalogue_messages, values) if message_ids else ())


async def lock_rules(conn: Connection, org_id: int) -> None:
    await conn.execute(queries.lock_rules, {"org_id": org_id})


async def bound(conn: Connection, limit: str, work_mem: str) -> tuple[str, str]:
    """Sets `statement_timeout` and `work_mem` until the end of the transaction; returns what they were."""
    row = await (await conn.execute(queries.bound, {"limit": limit, "work_mem": work_mem})).fetchone()
    assert row is not None
    return row[0], row[1]


class Plan(NamedTuple):
    """What PostgreSQL expects of a statement: its cost in the planner's units, and rows."""

    cost: float
    rows: float


async def plan(conn: Connection, statement: str, values: Mapping[str, Any]) -> Plan:
    """The statement is planned, not run."""
    explained = await conn.execute(b"explain (format json) " + statement.encode(), values, prepare=False)
    row = await explained.fetchone()
    assert row is not None
    top = row[0][0]["Plan"]
    return Plan(top["Total Cost"], top["Plan Rows"])


async def column(conn: Connection, statement: str, values: Mapping[str, Any]) -> list[int]:
    """The one column of a compiled condition. Not prepared: its plan depends on its values."""
    rows = await (await conn.execute(statement.encode(), values, prepare=False)).fetchall()
    return [row[0] for row in rows]


def members_query(org_id: int, segment_id: int, *, by_joining: bool, descending: bool) -> KeyQuery:
    """(time of joining or null, contact id) of the living members of a list."""
    query = {
        (True, False): queries.members_by_joining,
        (True, True): queries.members_by_joining_descending,
        (False, False): queries.members_by_id,
        (False, True): queries.members_by_id_descending,
    }[by_joining, descending]
    return KeyQuery(query, {"org_id": org_id, "segment_id": segment_id})


async def count_members(conn: Connection, org_id: int, segment_id: int) -> int:
    """The living members of a list."""
    return int((await column(conn, queries.count_members, {"org_id": org_id, "segment_id": segment_id}))[0])


async def fold_tally(conn: Connection) -> None:
    """Keeps the sum that `count_members` takes short."""
    await conn.execute(queries.fold_member_tally)


async def category_of_segment(conn: Connection, org_id: int, segment_id: int) -> str | None:
    """The key of the category that the list belongs to."""
    values = {"org_id": org_id, "segment_id": segment_id}
    row = await (await conn.execute(queries.category_of_segment, values)).fetchone()
    return row[0] if row else None


async def categories(conn: Connection, org_id: int) -> list[tuple[Category, int]]:
    """Each with its number of living subscribers."""
    rows = await (await conn.execute(queries.categories, {"org_id": org_id})).fetchall()
    return [(Category(*row[:-1]), row[-1]) for row in rows]


async def insert_category(conn: Connection, org_id: int, *, key: str, name: str, segment_id: int) -> Category:
    """Raises Conflict when the key, or the list of this name, belongs to another category."""
    if await category_of_segment(conn, org_id, segment_id) is not None:
        raise Conflict(f"name: '{name[:80]}' is the name of another category")
    values = {"org_id": org_id, "key": key, "name": name, "segment_id": segment_id}
    try:
        async with conn.transaction():
            row = await (await conn.execute(queries.insert_category, values)).fetchone()
    except errors.UniqueViolation:
        raise Conflict(f"key: '{key}' is the key of another category") from None
    assert row is not None
    return Category(*row)


async def rename_category(conn: Connection, org_id: int, category_id: int, name: str) -> Category | None:
    values = {"org_id": org_id, "category_id": category_id, "name": name}
    row = await (await conn.execute(queries.rename_category, values)).fetchone()
    return Category(*row) if row else None


async def delete_category(conn: Connection, org_id: int, category_id: int) -> int | None:
    """The id of the list it had."""
    values = {"org_id": org_id, "category_id": category_id}
    row = await (await conn.execute(queries.delete_category, values)).fetchone()
    return int(row[0]) if row else None


async def categories_of_contact(conn: Connection, org_id: int, contact_id: int) -> list[Category]:
    values = {"org_id": org_id, "contact_id": contact_id}
    return [
        Category(*row) for row in await (await conn.execute(queries.categories_of_contact, values)).fetchall()
    ]


async def set_categories(
    conn: Connection, org_id: int, contact_id: int, keys: Sequence[str], *, source: str
) -> None:
    values = {"org_id": org_id, "contact_id": contact_id, "keys": list(keys), "source": source}
    await conn.execute(queries.set_categories, values)
    await notes.changed(conn, org_id, [contact_id], kinds.LISTS)


async def contact_exists(conn: Connection, org_id: int, contact_id: int) -> bool:
    """Whether there is such a living contact."""
    values = {"org_id": org_id, "contact_id": contact_id}
    return await (await conn.execute(queries.contact_exists, values)).fetchone() is not None


async def lock_contact(conn: Connection, org_id: int, contact_id: int) -> bool:
    """Whether there is such a living contact."""
    values = {"org_id": org_id, "contact_id": contact_id}
    return await (await conn.execute(queries.lock_contact, values)).fetchone() is not None


async def _pairs(conn: Connection, query: str, values: dict[str, Any]) -> dict[Any, Any]:
    return dict(await (await conn.execute(query, values)).fetchall())


def _ids(numbers: Sequence[int]) -> list[int]:
    """Without numbers that no bigint holds: they are nobody's ids."""
    return [number for number in numbers if 0 < number < 2**63]


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
        "contact_ids": _ids(contact_ids),
        "external_ids": list(external_ids),
    }
    changed = [row[0] for row in await (await conn.execute(query, values)).fetchall()]
    await notes.changed(conn, org_id, changed, kinds.LISTS)
    return len(changed)


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
