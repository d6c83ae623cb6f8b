"""Typed access to stored imports: what came in, what became of it."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from perigee.contacts.bulk_options import Options
from perigee.contacts.rows import ContactRow
from perigee.db.pool import Connection
from perigee.db.queries import load

q = load(__package__)

FAST = 1
"""zlib level: four parts in five go at a cost of a millisecond for 3,000 contacts."""

_pack = msgspec.msgpack.Encoder().encode
_unpack_rows = msgspec.msgpack.Decoder(list[ContactRow]).decode
_unpack_mapping = msgspec.msgpack.Decoder(tuple[list[str], list[int]]).decode
_json = msgspec.json.Encoder().encode


class Import(NamedTuple):
    source: str
    options: Options
    rows: list[ContactRow]


class Outcome(NamedTuple):
    """What an import came to. `mapping`: value of the dedupe field → contact id."""

    created: int
    updated: int
    skipped: int
    failures: Sequence[str]
    mapping: tuple[list[str], list[int]]
    description: str | None


class State(NamedTuple):
    status: str
    at: datetime
    description: str | None
    mapping: tuple[list[str], list[int]] | None
    failures: list[str]


async def has_field(conn: Connection, org_id: int, field_id: int) -> bool:
    row = await (await conn.execute(q.has_field, {"org_id": org_id, "field_id": field_id})).fetchone()
    return bool(row and row[0])


async def insert_import(
    conn: Connection,
    org_id: int,
    session_id: UUID,
    *,
    source: str,
    options: Options,
    rows: Sequence[ContactRow],
    failures: Sequence[str],
) -> None:
    await conn.execute(
        q.insert_import,
        {
            "org_id": org_id,
            "session_id": session_id,
            "source": source,
            "options": _json(options).decode(),
            "payload": zlib.compress(_pack(rows), FAST),
            "total": len(rows) + len(failures),
            "failures": _json(failures).decode(),
        },
    )


async def begin(conn: Connection, org_id: int, session_id: UUID) -> bool:
    """Is there anything left to do?"""
    cursor = await conn.execute(q.begin_import, {"org_id": org_id, "session_id": session_id})
    return await cursor.fetchone() is not None


async def lock(conn: Connection, org_id: int, session_id: UUID) -> Import | None:
    """None: another worker has applied it."""
    async with conn.cursor(binary=True) as cursor:
        await cursor.execute(q.lock_import, {"org_id": org_id, "session_id": session_id})
        row = await cursor.fetchone()
    if row is None:
        return None
    source, options, payload = row
    return Import(source, msgspec.convert(options, Options), _unpack_rows(zlib.decompress(payload)))


async def finish(conn: Connection, org_id: int, session_id: UUID, outcome: Outcome) -> None:
    values: dict[str, Any] = outcome._asdict()
    values |= {"failures": _json(outcome.failures).decode(), "mapping": _pack(outcome.mapping)}
    await conn.execute(q.finish_import, {"org_id": org_id, "session_id": session_id, **values})


async def fail(conn: Connection, org_id: int, session_id: UUID, description: str) -> None:
    await conn.execute(
        q.fail_import, {"org_id": org_id, "session_id": session_id, "description": description}
    )


async def state(conn: Connection, org_id: int, session_id: UUID) -> State | None:
    row = await (await conn.execute(q.import_state, {"org_id": org_id, "session_id": session_id})).fetchone()
    if row is None:
        return None
    status, at, description, mapping, failures = row
    return State(status, at, description, None if mapping is None else _unpack_mapping(mapping), failures)


async def prune_imports(conn: Connection) -> None:
    """Drops what ended a month ago, in all organisations."""
    await conn.execute(q.prune_imports)
