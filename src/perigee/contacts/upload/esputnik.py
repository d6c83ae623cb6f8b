"""The old wire's import of a file by its link (contract 10.2)."""

from __future__ import annotations

import msgspec

from perigee.contacts.upload.accept import WireUpload, accept, clean_upload
from perigee.esputnik.face import Call, Right, operation
from perigee.files.download import rules


class FileAccepted(msgspec.Struct, rename="camel"):
    message: str
    import_id: str
    """The session id of `GET importstatus/{sessionId}`."""
    async_session_id: str
    """The same; a client looks for it under this name."""
    file_id: str
    valid: bool


@operation(
    "POST",
    "/v1/contacts/upload",
    section="10.2",
    right=Right.CONTACT_UPDATE,
    body=WireUpload,
    answer=FileAccepted,
    example={
        "link": "https://files.example.com/contacts.csv",
        "dedupeOn": "email",
        "groupNames": ["Import"],
    },
    answer_example={
        "message": "File accepted",
        "importId": "b6a8c6f4-8a53-4d5f-9b53-0f4c37c7c2a1",
        "asyncSessionId": "b6a8c6f4-8a53-4d5f-9b53-0f4c37c7c2a1",
        "fileId": "91",
        "valid": True,
    },
)
async def upload_contacts(call: Call) -> FileAccepted:
    """Add or update the contacts of a CSV file by its link; a job fetches it, `importstatus` tells how far it is."""
    link, options = clean_upload(await call.json(WireUpload), rules(call.context.settings))
    async with call.context.database.transaction() as conn:
        accepted = await accept(conn, call.org_id, call.context.keys.sealing, link, options)
    session = str(accepted.session_id)
    return FileAccepted("File accepted", session, session, str(accepted.file_id), True)
