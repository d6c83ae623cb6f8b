"""Exports as people ask for them, watch them and fetch them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import msgspec

from perigee.db.pool import Connection, Database
from perigee.errors import Conflict, Invalid, NotFound
from perigee.exports import kinds, store
from perigee.exports.jobs import enqueue_run
from perigee.exports.types import Export, ExportCreate, Row
from perigee.lib import json_edge
from perigee.lib.text import clean_json
from perigee.lib.tokens import InvalidToken, Signer
from perigee.segments import manage as segments

PURPOSE = "export"


async def create(conn: Connection, org_id: int, wanted: ExportCreate, now: datetime) -> Row:
    """Starts one. Raises Invalid, NotFound, Conflict when a list of the new name is there."""
    given = clean_json(msgspec.to_builtins(wanted))
    wanted = msgspec.convert(given, ExportCreate)
    await kinds.check(conn, org_id, wanted, now)
    lists = list(dict.fromkeys(wanted.lists))
    for segment_id in lists:
        if (await segments.get(conn, org_id, segment_id)).kind != "static":
            raise Invalid.of("lists", segment_id, "is a dynamic segment; only lists take people")
    if wanted.new_list is not None:
        lists.append((await segments.create_list(conn, org_id, wanted.new_list)).segment_id)
    export_id = await store.insert(conn, org_id, wanted.kind, json_edge.encode(given), lists)
    await enqueue_run(conn, org_id, export_id)
    return await get(conn, org_id, export_id)


async def get(conn: Connection, org_id: int, export_id: int) -> Row:
    """Raises NotFound."""
    found = await store.get(conn, org_id, export_id)
    if found is None:
        raise NotFound(f"Export {export_id} is not found")
    return found


async def cancel(conn: Connection, org_id: int, export_id: int) -> Row:
    """Ends it; who has joined a list stays there. Raises NotFound, Conflict when it is over."""
    if not await store.end(conn, org_id, export_id, "cancelled"):
        found = await get(conn, org_id, export_id)
        raise Conflict(f"Export {export_id} is {found.state}; there is nothing to cancel")
    return await get(conn, org_id, export_id)


async def require_file(conn: Connection, org_id: int, export_id: int, days: int, now: datetime) -> Row:
    """Raises NotFound when there is no such export or its file is gone, Conflict when it is not made yet."""
    found = await get(conn, org_id, export_id)
    if found.state in ("waiting", "running"):
        raise Conflict(f"Export {export_id} is {found.state}; its file is not there yet")
    if found.state != "done" or not found.pieces or expires_at(found, days) <= now:
        raise NotFound(f"Export {export_id} has no file: {found.error or found.state}")
    return found


async def content(database: Database, org_id: int, row: Row) -> AsyncIterator[bytes]:
    """The file. No connection is held between the pieces, so a slow reader costs nothing."""
    for number in range(row.pieces):
        async with database.connection() as conn:
            found = await store.piece(conn, org_id, row.export_id, number)
        if found is None:  # deleted meanwhile: what is half must not look whole
            raise ConnectionAbortedError("the file was deleted")
        yield found


def expires_at(row: Row, days: int) -> datetime:
    """Pure."""
    return (row.finished_at or row.created_at) + timedelta(days=days)


def shown(row: Row, org_id: int, *, days: int, public_url: str, links: Signer) -> Export:
    """As the API tells it. Pure."""
    done = row.state == "done" and row.pieces > 0
    token = links.sign(PURPOSE, org_id, row.export_id) if done else ""
    seconds = (row.moved_at - row.started_at).total_seconds() if row.moved_at and row.started_at else 0
    return Export(
        export_id=row.export_id,
        kind=row.kind,
        state=row.state,
        request=row.request,
        created_at=row.created_at,
        done=row.done,
        total=row.total,
        rate=round(row.done / seconds, 1) if seconds > 0 else None,
        bytes=row.bytes,
        lists=row.lists,
        attached=row.attached,
        error=row.error,
        started_at=row.started_at,
        finished_at=row.finished_at,
        expires_at=expires_at(row, days) if done else None,
        link=f"{public_url}/exports/{token}" if done else None,
    )


def named_by(token: str, links: Signer) -> tuple[int, int]:
    """The organisation and the export of a link. Raises NotFound."""
    try:
        org_id, export_id = links.verify(PURPOSE, token)
    except (InvalidToken, ValueError):
        raise NotFound("No such export") from None
    return org_id, export_id
