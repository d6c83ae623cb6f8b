"""People. Contacts are given as the wire has them: `{"firstName": …, "channels": [{"type": "email", "value": …}]}`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from perigee.client.pages import indexed_list
from perigee.client.transport import Reply, Transport, json, nothing
from perigee.client.types import BulkAccepted, FieldGroup, FieldGroups, ImportStatus, RefusedContact
from perigee.contacts.types import Contact

CONTACTS_PER_CALL = 3000
"""The most that `import_contacts` takes in one call (contract 10.1)."""
EMAILS_PER_CALL = 10_000
_SHORTEST_LOOK, _LONGEST_LOOK = 0.1, 2.0


async def import_contacts(
    transport: Transport,
    contacts: Sequence[Mapping[str, Any]],
    *,
    dedupe_on: str = "email",
    lists: Sequence[str] = (),
    fields: Sequence[int] = (),
    restore_deleted: bool = False,
) -> BulkAccepted:
    """Adds or updates up to 3,000 people. They are stored when this returns and applied in the background:
    `wait_for_import` waits for it. `lists` are names, made if missing; `fields` the additional fields to update."""
    body = {
        "contacts": contacts,
        "dedupeOn": dedupe_on,
        "groupNames": list(lists),
        "customFieldsIDs": list(fields),
        "restoreDeleted": restore_deleted,
    }
    return await transport.call("POST", "/api/v1/contacts", _bulk_accepted, body=body, repeatable=True)


def _bulk_accepted(reply: Reply) -> BulkAccepted:
    told = msgspec.json.decode(reply.body)
    if not isinstance(told, dict) or "asyncSessionId" not in told:
        raise msgspec.DecodeError("no asyncSessionId in the answer")
    refused = told.get("failedContacts") or []
    # One refusal comes as an object instead of a list (contract section 3).
    refused = refused if isinstance(refused, list) else [refused]
    return BulkAccepted(
        str(told["asyncSessionId"]),
        [RefusedContact(one, str(one.pop("error", ""))) for one in refused],
    )


async def import_status(transport: Transport, session_id: str) -> ImportStatus:
    """How far a bulk call is."""
    return await transport.call("GET", f"/api/v1/importstatus/{session_id}", json(ImportStatus))


async def wait_for_import(transport: Transport, session_id: str) -> ImportStatus:
    """Returns when a bulk call is applied, or ended in an error. Looks rarely, and ever more so."""
    pause = _SHORTEST_LOOK
    while not (status := await import_status(transport, session_id)).is_over:
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_LOOK)
    return status


async def get_contact(transport: Transport, contact_id: int) -> Contact:
    return await transport.call("GET", f"/api/v1/contact/{contact_id}", json(Contact))


async def search_contacts(
    transport: Transport,
    *,
    email: str | None = None,
    phone: str | None = None,
    external_id: str | None = None,
    first_name: str | None = None,
    last_name: str | None = None,
    limit: int | None = None,
) -> list[Contact]:
    """People to whom all that is given applies: equal for email, phone and external id, beginning with for names."""
    return await indexed_list(
        transport,
        "/api/v1/contacts",
        Contact,
        limit=limit,
        email=email,
        sms=phone,
        externalCustomerId=external_id,
        firstname=first_name,
        lastname=last_name,
    )


async def unsubscribe_emails(transport: Transport, emails: Sequence[str]) -> None:
    """Marks addresses as unsubscribed in the whole organisation, known ones and others."""
    await _mark(transport, "add", emails)


async def resubscribe_emails(transport: Transport, emails: Sequence[str]) -> None:
    """Takes the mark off."""
    await _mark(transport, "delete", emails)


async def _mark(transport: Transport, what: str, emails: Sequence[str]) -> None:
    for start in range(0, len(emails), EMAILS_PER_CALL):
        await transport.call(
            "POST",
            f"/api/v1/emails/unsubscribed/{what}",
            nothing,
            body={"emails": emails[start : start + EMAILS_PER_CALL]},
            repeatable=True,
        )


async def list_fields(transport: Transport) -> list[FieldGroup]:
    """All additional fields in their groups."""
    return (await transport.call("GET", "/api/v4/fields", json(FieldGroups))).groups
