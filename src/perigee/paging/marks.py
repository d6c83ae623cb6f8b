"""Where the pages of a listing begin, so that a page by number costs what a page by key costs.

The old wire pages by `startindex`. Skipping rows costs more with every page, and a row that moves meanwhile is shown
twice or never. So each page served leaves a mark: so many rows come before this key. The next page begins at its key,
in whichever process it arrives; a client that walks a listing walks it by key without knowing. A page asked for out of
the blue begins at the nearest mark before it. Marks are hints of ten minutes, and each walk from the first page on
leaves new ones.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from perigee.db.pool import Connection
from perigee.db.queries import load

q = load(__package__)


class Mark(NamedTuple):
    """`position` rows come before and up to the key; the page begins behind it. The first page's mark is `START`."""

    position: int
    key_time: datetime | None
    key_id: int
    total: int | None
    """How many rows there were in all, when that was counted and the mark is at most a minute old."""


START = Mark(0, None, 0, None)


def listing(*parts: Any) -> str:
    """A short name for one order of one selection."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()


async def nearest(conn: Connection, org_id: int, listing: str, skip: int) -> Mark:
    """The last mark at or before this many rows."""
    if skip == 0:
        return START
    cursor = await conn.execute(q.nearest_mark, {"org_id": org_id, "listing": listing, "skip": skip})
    row = await cursor.fetchone()
    if row is None:
        return START
    position, key_time, key_id, total, fresh = row
    return Mark(position, key_time, key_id, total if fresh else None)


async def leave(conn: Connection, org_id: int, listing: str, mark: Mark) -> None:
    await conn.execute(q.leave_mark, {"org_id": org_id, "listing": listing, **mark._asdict()})


async def prune(conn: Connection) -> None:
    await conn.execute(q.prune_marks)


FAR = 20_000
"""More rows than this are not skipped one by one: marks are planted on the way."""
STRIDE = 500
"""Rows between planted marks; the largest page of the old wire."""

Key = tuple[datetime | None, int]


class KeyQuery(NamedTuple):
    """SELECT of keys (time or null, id) in order, from behind `key_time` and `key_id`, with `rows` and `skip`; and the
    values of its other parameters."""

    sql: str
    values: dict[str, Any]


class Listing(Protocol):
    """One order of one selection, as `page` reads it."""

    @property
    def name(self) -> str:
        """As `listing` makes it."""
        ...

    @property
    def planting(self) -> KeyQuery | None:
        """What walks the whole listing, where that is quick; None: rows are skipped however many they are."""
        ...

    async def keys(self, mark: Mark, skip: int, rows: int) -> list[Key]:
        """The keys of the rows behind the mark, but for the first `skip`."""
        ...

    async def count(self, remembered: int | None) -> int:
        """How many rows there are in all; `remembered` was right within the last minute."""
        ...


async def page(conn: Connection, org_id: int, of: Listing, *, skip: int, rows: int) -> tuple[list[int], int]:
    """(ids of the page, number of all rows)."""
    mark = await nearest(conn, org_id, of.name, skip)
    if skip - mark.position > FAR and (query := of.planting) is not None:
        await _plant(conn, org_id, of.name, query, mark, skip - mark.position)
        mark = await nearest(conn, org_id, of.name, skip)
    found = await of.keys(mark, skip - mark.position, rows)
    if skip == 0 and len(found) < rows:
        return [key_id for _, key_id in found], len(found)
    total = await of.count(mark.total)
    if len(found) == rows:
        await leave(conn, org_id, of.name, Mark(skip + rows, *found[-1], total))
    return [key_id for _, key_id in found], total


async def read(conn: Connection, query: KeyQuery, mark: Mark, *, skip: int, rows: int) -> list[Key]:
    """Runs a query of keys, planned for its values."""
    values = {**query.values, **_behind(mark), "skip": skip, "rows": rows}
    return await (await conn.execute(query.sql, values, prepare=False)).fetchall()


async def _plant(conn: Connection, org_id: int, listing: str, query: KeyQuery, mark: Mark, rows: int) -> None:
    """Leaves a mark at every `STRIDE` rows among the `rows` behind this one, in one statement."""
    values = {
        **query.values,
        **_behind(mark),
        "skip": 0,
        "rows": rows,
        "org_id": org_id,
        "listing": listing,
        "position": mark.position,
        "stride": STRIDE,
    }
    await conn.execute(_PLANT.format(keys=query.sql.rstrip().rstrip(";")).encode(), values, prepare=False)


def _behind(mark: Mark) -> dict[str, Any]:
    return {"key_time": mark.key_time, "key_id": mark.key_id}


# Not in queries.sql: it wraps the listing's own query.
_PLANT = """
insert into page_mark (org_id, listing, position, key_time, key_id)
select %(org_id)s, %(listing)s, %(position)s + n, key_time, key_id
from (select key_time, key_id, row_number() over () as n from ({keys}) as keys (key_time, key_id)) numbered
where n %% %(stride)s = 0
on conflict (org_id, listing, position) do update
set key_time = excluded.key_time, key_id = excluded.key_id, total = null, at = excluded.at
"""
