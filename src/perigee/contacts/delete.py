"""Deleting people: softly, so that an import may bring them back, or for good (contract 9.4, 9.5, product 2)."""

from __future__ import annotations

from collections.abc import Sequence

from perigee.contacts import delete_store as store
from perigee.contacts.erasure.erase import erase_all
from perigee.contacts.read import not_found
from perigee.db.pool import Connection
from perigee.errors import NotFound
from perigee.segments import kinds
from perigee.segments.live.notes import changed


async def delete(conn: Connection, org_id: int, contact_id: int, *, erase: bool = False) -> None:
    """Raises NotFound. A contact that was deleted softly before is deleted again without complaint."""
    if not await delete_all(conn, org_id, [contact_id], erase=erase):
        raise not_found(contact_id)


async def delete_by_external_id(
    conn: Connection, org_id: int, external_id: str, *, erase: bool = False
) -> int:
    """Returns the contact's id. Raises NotFound; a contact that was deleted softly before is found again."""
    found = await store.ids_by_external(conn, org_id, [external_id])
    if external_id not in found:
        raise NotFound(f"Contact with externalCustomerId='{external_id[:80]}' is not found")
    await delete_all(conn, org_id, [found[external_id]], erase=erase)
    return found[external_id]


async def delete_all(conn: Connection, org_id: int, contact_ids: Sequence[int], *, erase: bool) -> list[int]:
    """Ids of those that there were."""
    if erase:
        return await erase_all(conn, org_id, contact_ids)
    gone = await store.delete_contacts(conn, org_id, contact_ids)
    await changed(conn, org_id, gone, kinds.PRESENCE)
    return gone
