"""Typed access to the tables of exports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from perigee.contacts.erasure.person import Names
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.exports.types import Row
from perigee.lib import json_edge
from perigee.segments.compile import Compiled

q = load(__package__)

_GATHER = """insert into export_person (org_id, export_id, contact_id)
select distinct %(org_id)s::bigint, %(export_id)s::bigint, chosen.contact_id from ({chosen}) chosen"""


async def insert(conn: Connection, org_id: int, kind: str, request: bytes, lists: Sequence[int]) -> int:
    values = {"org_id": org_id, "kind": kind, "request": request.decode(), "lists": list(lists)}
    row = await (await conn.execute(q.insert_export, values)).fetchone()
    assert row is not None
    return int(row[0])


async def get(conn: Connection, org_id: int, export_id: int, *, lock: bool = False) -> Row | None:
    query = q.lock_export if lock else q.get_export
    row = await (await conn.execute(query, {"org_id": org_id, "export_id": export_id})).fetchone()
    return None if row is None else Row(*row)


async def list_newest(conn: Connection, org_id: int, *, before: int, limit: int) -> list[Row]:
    cursor = await conn.execute(q.list_exports, {"org_id": org_id, "before": before, "limit": limit})
    return [Row(*row) for row in await cursor.fetchall()]


async def start(conn: Connection, org_id: int, export_id: int, total: int | None) -> None:
    await conn.execute(q.start_export, {"org_id": org_id, "export_id": export_id, "total": total})


async def move(
    conn: Connection,
    org_id: int,
    row: Row,
    *,
    rows: int,
    piece: bytes | None,
    attached: int,
    place: list[Any] | None,
) -> None:
    """Keeps a page, and where the next one begins; `place` None ends the export. `row`: as it was before, locked."""
    key = {"org_id": org_id, "export_id": row.export_id}
    if piece is not None:
        await conn.execute(q.insert_piece, {**key, "number": row.pieces, "content": piece})
    await conn.execute(
        q.move_export,
        {
            **key,
            "rows": rows,
            "bytes": len(piece or b""),
            "pieces": int(piece is not None),
            "attached": attached,
            "place": json_edge.encode(place).decode(),
            "last": place is None,
        },
    )


async def end(conn: Connection, org_id: int, export_id: int, state: str, error: str | None = None) -> bool:
    """Whether it was not over yet."""
    values = {"org_id": org_id, "export_id": export_id, "state": state, "error": error}
    return bool(await (await conn.execute(q.end_export, values)).fetchone())


async def delete(conn: Connection, org_id: int, export_id: int) -> bool:
    """Whether it was there."""
    values = {"org_id": org_id, "export_id": export_id}
    return bool(await (await conn.execute(q.delete_export, values)).fetchone())


async def piece(conn: Connection, org_id: int, export_id: int, number: int) -> bytes | None:
    values = {"org_id": org_id, "export_id": export_id, "number": number}
    row = await (await conn.execute(q.get_piece, values)).fetchone()
    return None if row is None else bytes(row[0])


async def gather(conn: Connection, org_id: int, export_id: int, chosen: Compiled) -> int:
    """Notes everybody of a select of contact ids, once. How many."""
    statement = _GATHER.format(chosen=chosen.sql.rstrip(";"))
    values = {**chosen.values, "org_id": org_id, "export_id": export_id}
    return (await conn.execute(statement.encode(), values, prepare=False)).rowcount


async def fetch(
    conn: Connection, query: str, org_id: int, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    """Rows of one of this package's queries. Not prepared: where a filter is left out, the plan is another."""
    return await (await conn.execute(query, {"org_id": org_id, **values}, prepare=False)).fetchall()


async def prune(conn: Connection, days: int) -> None:
    """Deletes what nobody may fetch any more, in all organisations."""
    for org_id, export_id in await (await conn.execute(q.expired, {"days": days})).fetchall():
        await delete(conn, org_id, export_id)


async def erase(conn: Connection, org_id: int, names: Names) -> None:
    """Files that may hold erased people go, and what was asked for goes where it names them."""
    await _erase(conn, org_id, sorted(names.contact_ids), names.texts, 0)


async def sweep(conn: Connection, org_id: int, contact_ids: Sequence[int], seconds: float) -> None:
    """The same for files that were begun while their people were being erased, so many seconds ago or more."""
    await _erase(conn, org_id, contact_ids, [], seconds)


async def _erase(
    conn: Connection, org_id: int, contact_ids: Sequence[int], texts: Sequence[str], seconds: float
) -> None:
    people = {"org_id": org_id, "contact_ids": list(contact_ids)}
    await conn.execute(q.erase_exports, {**people, "texts": list(texts), "seconds": seconds})
    await conn.execute(q.erase_people, people)
