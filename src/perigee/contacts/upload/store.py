"""Typed access to files of contacts and how far they have come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from perigee.contacts.bulk_options import Options
from perigee.db.columns import pack_numbers
from perigee.db.pool import Connection
from perigee.db.queries import load

q = load(__package__)

FAILURES_KEPT: Final = 1000
"""Refusals from which on further ones are only counted."""

_json = msgspec.json.Encoder().encode


class Progress(NamedTuple):
    """What one step of a file came to."""

    position: int
    length: int
    created: int
    updated: int
    skipped: int
    failures: Sequence[str]
    lost: int
    contact_ids: Sequence[int]


class Counts(NamedTuple):
    created: int
    updated: int
    skipped: int
    refused: int
    lost: int
    ignored: Sequence[str]
    dedupe_on: str


class Known(NamedTuple):
    """A contact as the mapping of an import shows it."""

    contact_id: int
    email: str | None
    phone: str | None
    external_id: str | None


async def insert(conn: Connection, org_id: int, session_id: UUID, options: Options, link: bytes) -> int:
    """Returns the file's id. `link` is sealed."""
    values = {"org_id": org_id, "session_id": session_id}
    await conn.execute(q.insert_import, {**values, "options": _json(options).decode()})
    row = await (await conn.execute(q.insert_upload, {**values, "link": link})).fetchone()
    assert row is not None
    return int(row[0])


async def begin(conn: Connection, org_id: int, session_id: UUID) -> tuple[bytes, Options] | None:
    """(sealed link, options); None when there is nothing left to do."""
    cursor = await conn.execute(q.begin_upload, {"org_id": org_id, "session_id": session_id})
    row = await cursor.fetchone()
    return None if row is None else (row[0], msgspec.convert(row[1], Options))


async def field_ids(conn: Connection, org_id: int) -> dict[str, int]:
    """Ids of additional fields by `GROUP.FIELD`."""
    return dict(await (await conn.execute(q.field_ids, {"org_id": org_id})).fetchall())


async def resume(
    conn: Connection, org_id: int, session_id: UUID, *, digest: bytes, total: int, ignored: Sequence[str]
) -> int | None:
    """Rows of this very file that are through; None when the import has ended.

    Of another file, from an earlier try, nothing is kept but its people.
    """
    values = {"org_id": org_id, "session_id": session_id}
    if not await _lock(conn, org_id, session_id):
        return None
    cursor = await conn.execute(q.resume, {**values, "digest": digest, "ignored": list(ignored)})
    row = await cursor.fetchone()
    assert row is not None
    if row[0] == 0:
        await conn.execute(q.forget_other_file, values)
    await conn.execute(q.set_total, {**values, "total": total})
    return int(row[0])


async def lock_step(conn: Connection, org_id: int, session_id: UUID, *, position: int, digest: bytes) -> bool:
    """Whether it is ours to write the rows from here on; nobody else can until this transaction ends."""
    if not await _lock(conn, org_id, session_id):
        return False
    values = {"org_id": org_id, "session_id": session_id, "position": position, "digest": digest}
    row = await (await conn.execute(q.is_next_step, values)).fetchone()
    return bool(row and row[0])


async def _lock(conn: Connection, org_id: int, session_id: UUID) -> bool:
    """False: the import has ended."""
    cursor = await conn.execute(q.lock_upload, {"org_id": org_id, "session_id": session_id})
    return await cursor.fetchone() is not None


async def finish_step(conn: Connection, org_id: int, session_id: UUID, progress: Progress) -> None:
    await conn.execute(
        q.finish_step,
        {
            **progress._asdict(),
            "org_id": org_id,
            "session_id": session_id,
            "refused": len(progress.failures),
            "failures": _json(progress.failures[:FAILURES_KEPT]).decode(),
            "most": FAILURES_KEPT,
            "contact_ids": pack_numbers(progress.contact_ids),
        },
    )


async def end(
    conn: Connection, org_id: int, session_id: UUID, status: str, description: str | None = None
) -> None:
    """`status`: FINISHED or ERROR. An import that has ended stays as it is."""
    values = {"org_id": org_id, "session_id": session_id, "status": status, "description": description}
    await conn.execute(q.end_upload, values)


async def counts(conn: Connection, org_id: int, session_id: UUID) -> Counts | None:
    """None: the import did not come as a file."""
    cursor = await conn.execute(q.upload_counts, {"org_id": org_id, "session_id": session_id})
    row = await cursor.fetchone()
    return None if row is None else Counts(*row)


async def contacts(conn: Connection, org_id: int, session_id: UUID, *, most: int) -> list[Known]:
    cursor = await conn.execute(q.upload_contacts, {"org_id": org_id, "session_id": session_id, "most": most})
    return [Known(*row) for row in await cursor.fetchall()]
