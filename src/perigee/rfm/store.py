"""Typed access to the tables of the grids."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from perigee.db.columns import pack_numbers
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.rfm.cells import FREQUENCY_FROM, RECENCY_FROM, Cell, Grid
from perigee.rfm.types import Moved

q = load(__package__)

BORDERS: dict[str, Any] = {"recency_from": list(RECENCY_FROM), "frequency_from": list(FREQUENCY_FROM)}


class Mark(NamedTuple):
    """A place in the activity, in the order in which it is recorded."""

    at: datetime
    activity_id: int


class Opened(NamedTuple):
    mark: Mark
    hits: int
    contact_ids: list[int]


async def place(conn: Connection, org_id: int, grid: Grid, contact_ids: Sequence[int]) -> list[Moved]:
    """Puts these contacts where their facts say. `contact_ids` sorted."""
    values = {"org_id": org_id, "grid": grid, "contact_ids": pack_numbers(contact_ids), **BORDERS}
    await conn.execute(q.lock_cells, values)
    return await _moves(conn, q.place_sales if grid == "sales" else q.place_mail, values)


async def grids_behind(conn: Connection, now: datetime) -> list[tuple[int, Grid, date]]:
    """(org_id, grid, the day it should have)."""
    return await (await conn.execute(q.grids_behind, {"now": now})).fetchall()


async def begin_day(conn: Connection, org_id: int, grid: Grid, day: date) -> None:
    await conn.execute(q.begin_day, {"org_id": org_id, "grid": grid, "day": day})


async def move_on(conn: Connection, org_id: int, grid: Grid, day: date, *, limit: int) -> list[Moved]:
    values = {"org_id": org_id, "grid": grid, "day": day, "limit": limit, **BORDERS}
    return await _moves(conn, q.move_on, values)


async def facts_behind(conn: Connection, org_id: int, behind: int, *, limit: int) -> list[int]:
    values = {"org_id": org_id, "behind": behind, "limit": limit}
    return [row[0] for row in await (await conn.execute(q.facts_behind, values)).fetchall()]


async def mail_behind(conn: Connection) -> list[int]:
    """Organisations with opens and clicks that their grid has not seen."""
    return [row[0] for row in await (await conn.execute(q.mail_behind)).fetchall()]


async def lock_mail(conn: Connection, org_id: int) -> Mark:
    """Held until the transaction ends."""
    await conn.execute(q.open_mail, {"org_id": org_id})
    row = await (await conn.execute(q.lock_mail, {"org_id": org_id})).fetchone()
    assert row is not None
    return Mark(*row)


async def opened(conn: Connection, org_id: int, seen: Mark, until: datetime, *, limit: int) -> Opened | None:
    """The next opens and clicks behind the mark and before `until`, at most `limit`."""
    values = {
        "org_id": org_id,
        "seen_at": seen.at,
        "seen_id": seen.activity_id,
        "until": until,
        "limit": limit,
    }
    row = await (await conn.execute(q.opened, values)).fetchone()
    return None if row is None else Opened(Mark(row[0], row[1]), row[2], row[3])


async def note_seen(conn: Connection, org_id: int, mark: Mark) -> None:
    values = {"org_id": org_id, "seen_at": mark.at, "seen_id": mark.activity_id}
    await conn.execute(q.note_seen, values)


async def raised(conn: Connection, org_id: int, grid: Grid) -> list[dict[str, Any]] | None:
    """The moves that raise an event, as stored; none named means all. None: no move does."""
    row = await (await conn.execute(q.raised, {"org_id": org_id, "grid": grid})).fetchone()
    return None if row is None else row[0]


async def _moves(conn: Connection, query: str, values: dict[str, Any]) -> list[Moved]:
    rows = await (await conn.execute(query, values)).fetchall()
    return [Moved(row[0], Cell(row[1], row[2]), Cell(row[3], row[4])) for row in rows]


async def prune(conn: Connection, before: datetime) -> None:
    """Forgets older moves."""
    await conn.execute(q.prune, {"before": before})
