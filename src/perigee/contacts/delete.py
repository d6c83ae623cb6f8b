"""Deleting people: softly, so that an import may bring them back, or for good (contract 9.4, 9.5, product 2)."""

from __future__ import annotations

from collections.abc import Sequence

from perigee.contacts import delete_store as store
from perigee.contacts.read import not_found
from perigee.db.pool import Connection
from perigee.errors import NotFound
from perigee.files import store as data_files
from perigee.site.store import erase_visitors


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
    return await store.delete_contacts(conn, org_id, contact_ids)


async def erase_all(conn: Connection, org_id: int, contact_ids: Sequence[int]) -> list[int]:
    """Removes the people and what names them: tokens, memberships, events, addresses nobody else holds.

    The ledger, the activity and the orders stay as figures about nobody. Of an address that must not be written
    to, a keyed hash stays in the suppression list.
    """
    gone = await store.erase_contacts(conn, org_id, contact_ids)
    ids = [contact_id for contact_id, _, _ in gone]
    if ids:
        await store.erase_traces(conn, org_id, ids)
        await erase_visitors(conn, org_id, ids)
        addresses = [("email", email) for _, email, _ in gone if email]
        addresses += [("phone", phone) for _, _, phone in gone if phone]
        await store.erase_came_back(conn, org_id, ids, [value for _, value in addresses])
        await store.erase_addresses(conn, org_id, addresses)
        await data_files.erase(conn, org_id, [value for kind, value in addresses if kind == "email"])
    return ids
