"""Typed access to the statements of deletion."""

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


async def erase_contacts(
    conn: Connection, org_id: int, contact_ids: Sequence[int]
) -> list[tuple[int, str | None, str | None]]:
    """(contact id, email, phone) of those that there were."""
    cursor = await conn.execute(q.erase_contacts, {"org_id": org_id, "contact_ids": list(contact_ids)})
    return await cursor.fetchall()


async def erase_traces(conn: Connection, org_id: int, contact_ids: Sequence[int]) -> None:
    """What other tables say about erased contacts."""
    values = {"org_id": org_id, "contact_ids": list(contact_ids)}
    for statement in (
        q.erase_orders,
        q.erase_events,
        q.erase_deliveries,
        q.erase_activity,
        q.erase_waiting,
        q.erase_inbox,
        q.erase_promo_codes,
        q.erase_contact_log,
    ):
        await conn.execute(statement, values)


async def erase_came_back(
    conn: Connection, org_id: int, contact_ids: Sequence[int], values: Sequence[str]
) -> None:
    await conn.execute(
        q.erase_came_back, {"org_id": org_id, "contact_ids": list(contact_ids), "values": list(values)}
    )


async def erase_addresses(conn: Connection, org_id: int, addresses: Sequence[tuple[str, str]]) -> None:
    if addresses:
        await conn.execute(
            q.erase_addresses,
            {
                "org_id": org_id,
                "kinds": [kind for kind, _ in addresses],
                "values": [value for _, value in addresses],
            },
        )
