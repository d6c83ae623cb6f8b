"""Makes one export, page by page: each page is a transaction that keeps its rows and the place behind them, so a worker
that dies costs a page, memory is that of a page, and a cancellation is seen at the next one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from perigee.db import plans
from perigee.db.pool import Connection, Database
from perigee.exports import kinds, people, store
from perigee.exports.types import ExportCreate, Row
from perigee.lib import csv_out
from perigee.segments import static
from perigee.segments.static import People

PAGE = 5_000


async def run(database: Database, org_id: int, export_id: int, now: datetime, *, page: int = PAGE) -> None:
    """To its end; nothing when it is over or gone. May be called again after a crash. Raises Invalid, NotFound."""
    try:
        async with database.transaction() as conn:
            await _begin(conn, org_id, export_id, now)
    except _Over:
        return
    more = True
    while more:
        async with database.transaction() as conn:
            more = await _page(conn, org_id, export_id, page)


class _Over(Exception):
    """It was cancelled, erased or deleted meanwhile: what was worked out is rolled back."""


async def _begin(conn: Connection, org_id: int, export_id: int, now: datetime) -> None:
    """Working out the people may take minutes; who cancels meanwhile does not wait for it."""
    seen = await store.get(conn, org_id, export_id)
    if seen is None or seen.state != "waiting":
        return
    total = await kinds.begin(conn, org_id, export_id, wanted_of(seen), now)
    row = await store.get(conn, org_id, export_id, lock=True)
    if row is None or row.state != "waiting":
        raise _Over
    await store.start(conn, org_id, export_id, total)


async def _page(conn: Connection, org_id: int, export_id: int, size: int) -> bool:
    """Whether there is another."""
    seen = await store.get(conn, org_id, export_id)
    if seen is None or seen.state != "running":
        return False
    if seen.kind == "contacts":  # of the others, plans need the values
        await plans.by_key(conn)
    # People before the export: an erasure locks them in this order too.
    attached = await _attach(conn, org_id, seen, size) if seen.lists else 0
    row = await store.get(conn, org_id, export_id, lock=True)
    if row is None or row.state != "running":
        return False
    assert row.place == seen.place, "two workers make one export"
    count, piece, place = await _read(conn, org_id, row, size)
    await store.move(conn, org_id, row, rows=count, piece=piece, attached=attached, place=place)
    return place is not None


async def _read(
    conn: Connection, org_id: int, row: Row, size: int
) -> tuple[int, bytes | None, list[Any] | None]:
    """The page: how many rows, its piece of the file, the place of the next page."""
    wanted = wanted_of(row)
    if not wanted.file:
        ids, place = await people.ids_behind(conn, org_id, row, size)
        return len(ids), None, place
    found = await kinds.page(conn, org_id, row, wanted, size)
    text = "".join(csv_out.rows(found.rows, guarded=wanted.guarded))
    if row.pieces == 0:
        text = csv_out.BOM + "".join(csv_out.rows([await kinds.headings(conn, org_id, wanted)])) + text
    return len(found.rows), text.encode() if text else None, found.place


async def _attach(conn: Connection, org_id: int, row: Row, size: int) -> int:
    """The page's people join the lists. Raises NotFound, Invalid when a list is gone."""
    ids, _ = await people.ids_behind(conn, org_id, row, size)
    if not ids:
        return 0
    return sum(
        [
            await static.attach(conn, org_id, segment_id, People(contact_ids=ids), most=size)
            for segment_id in sorted(row.lists)
        ]
    )


def wanted_of(row: Row) -> ExportCreate:
    return msgspec.convert(row.request, ExportCreate)
