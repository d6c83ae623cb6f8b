"""Typed access to data files: what was loaded, from where, until when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple
from uuid import UUID

from perigee.db.columns import pack
from perigee.db.pool import Connection
from perigee.db.queries import load

q = load(__package__)

Kind = Literal["Key", "Random"]


class Begun(NamedTuple):
    link: bytes
    """Sealed."""
    file_id: int
    kind: Kind


class LiveFile(NamedTuple):
    file_id: int
    kind: Kind
    elements: int


class LoadState(NamedTuple):
    status: str
    description: str | None


async def insert_file(conn: Connection, org_id: int, kind: Kind) -> int:
    row = await (await conn.execute(q.insert_file, {"org_id": org_id, "kind": kind})).fetchone()
    assert row is not None
    return int(row[0])


async def has_file(conn: Connection, org_id: int, file_id: int) -> bool:
    row = await (await conn.execute(q.has_file, {"org_id": org_id, "file_id": file_id})).fetchone()
    return bool(row and row[0])


async def insert_load(
    conn: Connection, org_id: int, session_id: UUID, file_id: int, *, link: bytes, ttl_hours: int
) -> None:
    values = {"org_id": org_id, "session_id": session_id, "file_id": file_id}
    await conn.execute(q.insert_load, {**values, "link": link, "ttl_hours": ttl_hours})


async def begin(conn: Connection, org_id: int, session_id: UUID) -> Begun | None:
    """None: the load has ended."""
    cursor = await conn.execute(q.begin_load, {"org_id": org_id, "session_id": session_id})
    row = await cursor.fetchone()
    return None if row is None else Begun(*row)


async def lock(conn: Connection, org_id: int, session_id: UUID) -> int | None:
    """The hours that the data are to live; None: the load has ended."""
    cursor = await conn.execute(q.lock_load, {"org_id": org_id, "session_id": session_id})
    row = await cursor.fetchone()
    return None if row is None else int(row[0])


async def clear(conn: Connection, org_id: int, file_id: int) -> None:
    await conn.execute(q.clear_file, {"org_id": org_id, "file_id": file_id})


async def insert_values(conn: Connection, org_id: int, file_id: int, values: Mapping[str, str]) -> None:
    """JSON texts by key; a later one replaces an earlier one."""
    columns = {"keys": pack(values.keys()), "values": pack(values.values())}
    await conn.execute(q.insert_values, {"org_id": org_id, "file_id": file_id, **columns})


async def finish(
    conn: Connection,
    org_id: int,
    session_id: UUID,
    file_id: int,
    *,
    elements: int,
    ttl_hours: int,
    description: str | None,
) -> None:
    values = {"org_id": org_id, "session_id": session_id, "file_id": file_id}
    values |= {"elements": elements, "ttl_hours": ttl_hours}
    await conn.execute(q.finish_load, {**values, "description": description})


async def fail(conn: Connection, org_id: int, session_id: UUID, description: str) -> None:
    values = {"org_id": org_id, "session_id": session_id, "description": description}
    await conn.execute(q.fail_load, values)


async def state(conn: Connection, org_id: int, session_id: UUID) -> LoadState | None:
    cursor = await conn.execute(q.load_state, {"org_id": org_id, "session_id": session_id})
    row = await cursor.fetchone()
    return None if row is None else LoadState(*row)


async def live_files(conn: Connection, org_id: int) -> list[LiveFile]:
    """Those whose data have not expired, the latest loaded first."""
    cursor = await conn.execute(q.live_files, {"org_id": org_id})
    return [LiveFile(*row) for row in await cursor.fetchall()]


async def values(
    conn: Connection, org_id: int, file_ids: Sequence[int], keys: Sequence[str]
) -> dict[tuple[int, str], str]:
    """JSON text by (file, key)."""
    given = {"org_id": org_id, "file_ids": list(file_ids), "keys": list(keys)}
    cursor = await conn.execute(q.values_by_key, given)
    return {(file_id, key): value for key, file_id, value in await cursor.fetchall()}


async def erase(conn: Connection, org_id: int, emails: Sequence[str]) -> None:
    """What the files say of these people."""
    await conn.execute(q.erase_values, {"org_id": org_id, "emails": list(emails)})


async def prune(conn: Connection, *, rows: int) -> int:
    """Drops expired data and old notes of loads, in all organisations; returns how many values went."""
    await conn.execute(q.prune_loads)
    return (await conn.execute(q.prune_values, {"rows": rows})).rowcount
