"""Typed access to the statements of soft deletion."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from perigee.db.pool import Connection
from perigee.db.queries import load

q = load(__package__)


class Deleted(NamedTuple):
    contact_id: int
    external_id: str | None
    email: str | None
    phone: str | None
    first_name: str | None
    last_name: str | None
    deleted_at: datetime
    reason: str | None


async def ids_by_external(conn: Connection, org_id: int, external_ids: Sequence[str]) -> dict[str, int]:
    cursor = await conn.execute(q.ids_by_external, {"org_id": org_id, "external_ids": list(external_ids)})
    return {external_id: contact_id for contact_id, external_id in await cursor.fetchall()}


async def delete_contacts(
    conn: Connection, org_id: int, contact_ids: Sequence[int], reason: str | None
) -> list[int]:
    values = {"org_id": org_id, "contact_ids": list(contact_ids), "reason": reason}
    cursor = await conn.execute(q.delete_contacts, values)
    return [contact_id for (contact_id,) in await cursor.fetchall()]


async def restore_contacts(conn: Connection, org_id: int, contact_ids: Sequence[int]) -> list[int]:
    cursor = await conn.execute(q.restore_contacts, {"org_id": org_id, "contact_ids": list(contact_ids)})
    return [contact_id for (contact_id,) in await cursor.fetchall()]


async def deleted_contacts(conn: Connection, org_id: int, *, after: int, rows: int) -> list[Deleted]:
    cursor = await conn.execute(q.deleted_contacts, {"org_id": org_id, "after": after, "rows": rows})
    return [Deleted(*row) for row in await cursor.fetchall()]


async def long_deleted(conn: Connection, days: int, rows: int) -> list[tuple[int, list[int]]]:
    """(organisation, contacts) whose time to be restored is over."""
    return await (await conn.execute(q.long_deleted, {"days": days, "rows": rows})).fetchall()
