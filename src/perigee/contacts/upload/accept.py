"""Taking in a file of contacts by its link (contract 10.2): what is wrong with the call is said at once.

The link, sealed, and a job to fetch it are stored before the caller gets the ids; the file itself is looked at by the
job (`apply`).
"""

from __future__ import annotations

from typing import Final, NamedTuple
from uuid import UUID, uuid4

from perigee.contacts.bulk_options import Options, WireOptions, clean_options
from perigee.contacts.types import Scalar
from perigee.contacts.upload import store
from perigee.contacts.upload.headings import DEDUPE_ON
from perigee.db.pool import Connection
from perigee.errors import Invalid
from perigee.files.links import clean_link, seal_link
from perigee.jobs import enqueue
from perigee.lib.outside import Rules
from perigee.lib.scalars import to_text

APPLY_UPLOAD: Final = "contacts.apply_upload"


class WireUpload(WireOptions):
    """Body of POST contacts/upload."""

    link: Scalar = None


class Accepted(NamedTuple):
    session_id: UUID
    file_id: int


def clean_upload(wire: WireUpload, rules: Rules) -> tuple[str, Options]:
    """(link, options). Raises Invalid, which names the member."""
    dedupe_on = to_text("dedupeOn", wire.dedupe_on)
    if dedupe_on is None:
        raise Invalid("dedupeOn: is required", field="dedupeOn")
    if dedupe_on not in DEDUPE_ON:
        raise Invalid.of("dedupeOn", dedupe_on, "must be one of " + ", ".join(DEDUPE_ON))
    return clean_link(wire.link, rules), clean_options(wire)


async def accept(conn: Connection, org_id: int, sealing: bytes, link: str, options: Options) -> Accepted:
    """In the caller's transaction."""
    session_id = uuid4()
    file_id = await store.insert(conn, org_id, session_id, options, seal_link(sealing, org_id, link))
    await enqueue(conn, APPLY_UPLOAD, lock=f"uploads of {org_id}", org_id=org_id, session_id=str(session_id))
    return Accepted(session_id, file_id)
