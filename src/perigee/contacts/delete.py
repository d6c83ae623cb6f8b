"""Deleting people: softly, so that an import may bring them back, or for good (contract 9.4, 9.5, product 2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from perigee.contacts import delete_store as store
from perigee.contacts import read_store
from perigee.contacts.erasure.erase import erase_all
from perigee.contacts.read import not_found
from perigee.db.pool import Connection, Database
from perigee.errors import Conflict, Invalid, NotFound
from perigee.lib.text import clean_or_none
from perigee.segments import kinds
from perigee.segments.live.notes import changed

MAX_REASON: Final = 500
PURGED_AT_ONCE: Final = 500


async def delete(
    conn: Connection, org_id: int, contact_id: int, *, erase: bool = False, reason: str | None = None
) -> None:
    """Raises NotFound. A contact that was deleted softly before is deleted again without complaint."""
    if not await delete_all(conn, org_id, [contact_id], erase=erase, reason=reason):
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


async def delete_all(
    conn: Connection, org_id: int, contact_ids: Sequence[int], *, erase: bool, reason: str | None = None
) -> list[int]:
    """Ids of those that there were. `reason`: for people to read; of a soft deletion only. Raises Invalid."""
    if erase:
        return await erase_all(conn, org_id, contact_ids)
    gone = await store.delete_contacts(conn, org_id, contact_ids, clean_reason(reason))
    await changed(conn, org_id, gone, kinds.PRESENCE)
    return gone


def clean_reason(reason: str | None) -> str | None:
    """Raises Invalid."""
    cleaned = clean_or_none(reason)
    if cleaned is not None and len(cleaned) > MAX_REASON:
        raise Invalid.of("reason", cleaned, f"must not have more than {MAX_REASON} characters")
    return cleaned


async def restore(conn: Connection, org_id: int, contact_id: int) -> None:
    """The contact is alive again, in the lists it was in. Raises NotFound; Conflict for one that is not deleted."""
    if await store.restore_contacts(conn, org_id, [contact_id]):
        await changed(conn, org_id, [contact_id], kinds.PRESENCE)
    elif await read_store.contacts(conn, org_id, [contact_id]):
        raise Conflict(f"contact {contact_id} is not deleted")
    else:
        raise not_found(contact_id)


async def purge(database: Database, days: int) -> int:
    """Erases those who were deleted so many days ago; returns how many. 0 days: nobody, ever."""
    if not days:
        return 0
    async with database.connection() as conn:
        due = await store.long_deleted(conn, days, PURGED_AT_ONCE)
    for org_id, contact_ids in due:
        async with database.transaction() as conn:
            await erase_all(conn, org_id, contact_ids)
    return sum(len(contact_ids) for _, contact_ids in due)
