"""Taking in a data file by its link (contract 21.4, 21.5): stored with a job before the caller gets the ids."""

from __future__ import annotations

from typing import Final, NamedTuple, cast, get_args
from uuid import UUID, uuid4

from perigee.db.pool import Connection
from perigee.errors import Invalid, NotFound
from perigee.files import store
from perigee.files.links import seal_link
from perigee.files.store import Kind
from perigee.jobs import enqueue
from perigee.lib.scalars import to_int, to_text

LOAD_DATA: Final = "files.load_data"
MONTH_HOURS: Final = 30 * 24
MOST_HOURS: Final = 10 * 365 * 24


class Accepted(NamedTuple):
    session_id: UUID
    file_id: int


def clean_kind(value: object) -> Kind:
    """Raises Invalid of `preprocessorType`."""
    text = to_text("preprocessorType", value)
    if text is None:
        raise Invalid("preprocessorType: is required", field="preprocessorType")
    for kind in get_args(Kind):
        if text.lower() == kind.lower():
            return cast(Kind, kind)
    raise Invalid.of("preprocessorType", text, "must be Key or Random")


def clean_ttl(value: object) -> int:
    """Hours; a month where nothing is said. Raises Invalid of `ttlHours`."""
    hours = to_int("ttlHours", value, low=1, high=MOST_HOURS)
    return MONTH_HOURS if hours is None else hours


async def accept_file(
    conn: Connection, org_id: int, sealing: bytes, *, link: str, kind: Kind, ttl_hours: int
) -> Accepted:
    """A new file, in the caller's transaction."""
    file_id = await store.insert_file(conn, org_id, kind)
    return await _accept(conn, org_id, sealing, file_id, link, ttl_hours)


async def accept_update(
    conn: Connection, org_id: int, sealing: bytes, file_id: int, *, link: str, ttl_hours: int
) -> Accepted:
    """New data for a file. Raises NotFound."""
    if not await store.has_file(conn, org_id, file_id):
        raise NotFound(f"File {file_id} is not found")
    return await _accept(conn, org_id, sealing, file_id, link, ttl_hours)


async def _accept(
    conn: Connection, org_id: int, sealing: bytes, file_id: int, link: str, ttl_hours: int
) -> Accepted:
    session_id = uuid4()
    sealed = seal_link(sealing, org_id, link)
    await store.insert_load(conn, org_id, session_id, file_id, link=sealed, ttl_hours=ttl_hours)
    await enqueue(
        conn, LOAD_DATA, lock=f"data file {org_id}/{file_id}", org_id=org_id, session_id=str(session_id)
    )
    return Accepted(session_id, file_id)
