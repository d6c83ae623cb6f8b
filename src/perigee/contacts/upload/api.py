"""/api/v4/link-imports: files of contacts by their link, and how far those and bulk calls have come."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from perigee.contacts.import_status import import_state
from perigee.contacts.upload.accept import WireUpload, accept, clean_upload
from perigee.files.download import rules
from perigee.http.v4 import Call, Created, Right, operation


class LinkImport(msgspec.Struct, forbid_unknown_fields=True):
    """`lists` are joined, made if missing; `leave_lists` are left; `event` is the type of event of each new contact."""

    link: str
    dedupe_on: Literal["email", "sms", "email_or_sms", "id"] = "email"
    lists: list[str] = []
    leave_lists: list[str] = []
    restore_deleted: bool = False
    event: str | None = None


class ImportAccepted(msgspec.Struct):
    session_id: str


class LinkImportState(msgspec.Struct):
    """`status`: STARTED, IMPORTING, FINISHED or ERROR, as of `updated_at`."""

    session_id: str
    status: str
    updated_at: datetime
    description: str | None


@operation(
    "POST",
    "/link-imports",
    right=Right.CONTACT_UPDATE,
    body=LinkImport,
    answer=ImportAccepted,
    example={"link": "https://files.example.com/contacts.csv", "lists": ["Import"]},
)
async def create_link_import(call: Call) -> Created:
    """Add or update the contacts of a CSV file by its link; a job fetches it."""
    given = await call.json(LinkImport)
    wire = WireUpload(
        link=given.link,
        dedupe_on=given.dedupe_on,
        group_names=[*given.lists],
        group_names_exclude=[*given.leave_lists],
        restore_deleted=given.restore_deleted,
        event_key_for_new_contacts=given.event,
    )
    link, options = clean_upload(wire, rules(call.context.settings))
    async with call.context.database.transaction() as conn:
        accepted = await accept(conn, call.org_id, call.context.keys.sealing, link, options)
    return Created(ImportAccepted(str(accepted.session_id)))


@operation("GET", "/link-imports/{session_id:str}", right=Right.CONTACT_UPDATE, answer=LinkImportState)
async def get_link_import(call: Call) -> LinkImportState:
    """How far an import has come, whether it came as a file or in a bulk call."""
    session_id = call.path["session_id"]
    async with call.context.database.connection() as conn:
        state = await import_state(conn, call.org_id, session_id)
    return LinkImportState(session_id, state.status, state.at, state.description)
