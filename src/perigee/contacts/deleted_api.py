"""/api/v4: contacts that were deleted and can be restored, and deleting many at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import msgspec

from perigee.contacts import delete, delete_store
from perigee.contacts.resource import ContactResource, resources
from perigee.http.v4 import PAGE, Call, Page, Right, cursor_page, operation


class DeletedContact(msgspec.Struct):
    """`erased_at`: from then on it is removed for good; null: never."""

    contact_id: int
    external_id: str | None
    email: str | None
    phone: str | None
    first_name: str | None
    last_name: str | None
    deleted_at: datetime
    reason: str | None
    erased_at: datetime | None


class ContactsDelete(msgspec.Struct, forbid_unknown_fields=True):
    """Unknown ids are skipped. `erase` removes everything about them for good."""

    contact_ids: Annotated[list[int], msgspec.Meta(min_length=1, max_length=500)]
    erase: bool = False
    reason: str | None = None


class ContactsDeleted(msgspec.Struct):
    deleted: int


@operation("GET", "/contacts/deleted", right=Right.CONTACT_READ, answer=Page[DeletedContact], query=PAGE)
async def list_deleted_contacts(call: Call) -> Page[DeletedContact]:
    """List contacts that were deleted and can be restored, by id."""
    after, limit = cursor_page(call)
    days = call.context.settings.deleted_contact_days
    async with call.context.database.connection() as conn:
        found = await delete_store.deleted_contacts(conn, call.org_id, after=after, rows=limit + 1)
    page = Page(
        [
            DeletedContact(*row, erased_at=row.deleted_at + timedelta(days=days) if days else None)
            for row in found[:limit]
        ]
    )
    if len(found) > limit:
        page.next = str(found[limit - 1].contact_id)
    return page


@operation(
    "POST",
    "/contacts/{contact_id:int}/restore",
    right=Right.CONTACT_UPDATE,
    answer=ContactResource,
    refusals=(409,),
)
async def restore_contact(call: Call) -> ContactResource:
    """Restore a deleted contact, with its lists and everything that was known of it."""
    contact_id = call.path["contact_id"]
    async with call.context.database.transaction() as conn:
        await delete.restore(conn, call.org_id, contact_id)
        (found,) = await resources(conn, call.org_id, [contact_id])
    return found


@operation(
    "POST",
    "/contacts/delete",
    right=Right.CONTACT_UPDATE,
    body=ContactsDelete,
    answer=ContactsDeleted,
    example={"contact_ids": [100001, 100002], "reason": "asked by phone"},
)
async def delete_contacts(call: Call) -> ContactsDeleted:
    """Delete up to 500 contacts; says how many there were."""
    given = await call.json(ContactsDelete)
    async with call.context.database.transaction() as conn:
        gone = await delete.delete_all(
            conn, call.org_id, given.contact_ids, erase=given.erase, reason=given.reason
        )
    return ContactsDeleted(len(gone))
