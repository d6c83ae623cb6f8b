"""Typed access to the definitions of additional fields."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from psycopg import errors
from psycopg.rows import class_row

from perigee.contacts.field_values import Field
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.errors import NotFound
from perigee.lib import json_edge

if TYPE_CHECKING:
    from perigee.contacts.fields import NewField

q = load(__package__)


class DefinitionRow(NamedTuple):
    """A group and one field of it; the field's members are None for a group without fields."""

    group_id: int
    group_name: str
    group_key: str
    field_id: int | None
    name: str
    key: str
    type: str
    choices: list[str] | None
    low: Decimal | None
    high: Decimal | None
    required: bool
    readonly: bool


async def definitions(conn: Connection, org_id: int) -> tuple[str, list[Field]]:
    """(the organisation's time zone, all fields)."""
    cursor = await conn.execute(q.field_definitions, {"org_id": org_id})
    rows = await cursor.fetchall()
    fields = [
        Field(field_id, kind, choices or (), low, high)
        for _, field_id, kind, choices, low, high in rows
        if field_id is not None
    ]
    return (rows[0][0] if rows else "UTC"), fields


async def groups_with_fields(conn: Connection, org_id: int) -> list[DefinitionRow]:
    async with conn.cursor(row_factory=class_row(DefinitionRow)) as cursor:
        await cursor.execute(q.field_groups, {"org_id": org_id})
        return await cursor.fetchall()


async def insert_group(conn: Connection, org_id: int, name: str, key: str) -> int | None:
    """None when there is a group of this key."""
    cursor = await conn.execute(q.insert_field_group, {"org_id": org_id, "name": name, "key": key})
    row = await cursor.fetchone()
    return row[0] if row else None


async def insert_fields(
    conn: Connection, org_id: int, group_id: int, fields: Sequence[NewField]
) -> list[int]:
    """Ids of those whose key is new in the group. Raises NotFound for an unknown group."""
    try:
        async with conn.transaction():  # a savepoint: the caller's transaction survives the refusal
            cursor = await conn.execute(
                q.insert_fields,
                {
                    "org_id": org_id,
                    "group_id": group_id,
                    "names": [field.name for field in fields],
                    "keys": [field.key for field in fields],
                    "types": [field.type for field in fields],
                    "choices": [json_edge.encode(field.choices).decode() for field in fields],
                    "lows": [field.low for field in fields],
                    "highs": [field.high for field in fields],
                },
            )
    except errors.ForeignKeyViolation:
        raise NotFound(f"Group of fields with id='{group_id}' is not found") from None
    return [field_id for (field_id,) in await cursor.fetchall()]
