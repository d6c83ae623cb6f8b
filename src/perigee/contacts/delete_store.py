"""Typed access to the statements of soft deletion."""

from __future__ import annotations

from collections.abc import Sequence

from perigee.db.pool import Connection
from perigee.db.queries import load

q = load(__package__)


async def ids_by_external(conn: Connection, org_id: int, external_ids: Sequence[str]) -> dict[str, int]:
    cursor = await conn.execute(q.ids_by_external, {"org_id": org_id, "external_ids": list(external_ids)})
    return {external_id: contact_id for contact_id, external_id in await cursor.fetchall()}


async def delete_contacts(conn: Connection, org_id: int, contact_ids: Sequence[int]) -> list[int]:
    cursor = await conn.execute(q.delete_contacts, {"org_id": org_id, "contact_ids": list(contact_ids)})
    return [contact_id for (contact_id,) in await cursor.fetchall()]
