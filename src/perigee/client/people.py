"""One person: all that is stored about them, deleting, restoring, erasing."""

from __future__ import annotations

from collections.abc import Sequence

from perigee.client.pages import cursor_list
from perigee.client.transport import Transport, json
from perigee.contacts.data.types import PersonData
from perigee.contacts.deleted_api import ContactsDeleted, DeletedContact
from perigee.contacts.resource import ContactResource

IDS_PER_CALL = 500


async def export_person_data(transport: Transport, contact_id: int) -> PersonData:
    """Everything that is stored about a person, for that person to read."""
    return await transport.call("GET", f"/api/v4/contacts/{contact_id}/data", json(PersonData))


async def list_deleted_contacts(transport: Transport, *, limit: int | None = None) -> list[DeletedContact]:
    """Contacts that can be restored, by id."""
    return await cursor_list(transport, "/api/v4/contacts/deleted", DeletedContact, limit=limit)


async def delete_contacts(
    transport: Transport, contact_ids: Sequence[int], *, erase: bool = False, reason: str | None = None
) -> int:
    """How many there were. `erase` removes everything about them for good."""
    deleted = 0
    for start in range(0, len(contact_ids), IDS_PER_CALL):
        body = {
            "contact_ids": list(contact_ids[start : start + IDS_PER_CALL]),
            "erase": erase,
            "reason": reason,
        }
        done = await transport.call(
            "POST", "/api/v4/contacts/delete", json(ContactsDeleted), body=body, repeatable=True
        )
        deleted += done.deleted
    return deleted


async def restore_contact(transport: Transport, contact_id: int) -> ContactResource:
    return await transport.call("POST", f"/api/v4/contacts/{contact_id}/restore", json(ContactResource))
