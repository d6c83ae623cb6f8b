"""Typed access to what is shown of the grids, and to their switches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from perigee.db.pool import Connection
from perigee.rfm.cells import Cell, Grid
from perigee.rfm.store import q
from perigee.rfm.types import RfmContact, RfmMove, RfmMoveRule


class Settings(NamedTuple):
    day: date
    raise_events: bool
    moves: list[RfmMoveRule]


async def settings(conn: Connection, org_id: int, grid: Grid) -> Settings:
    row = await (await conn.execute(q.settings, {"org_id": org_id, "grid": grid})).fetchone()
    assert row is not None
    return Settings(row[0], row[1], msgspec.convert(row[2], list[RfmMoveRule]))


async def change_settings(
    conn: Connection, org_id: int, grid: Grid, *, raise_events: bool | None, moves: list[RfmMoveRule] | None
) -> None:
    """None: stays as it is."""
    stored = None if moves is None else msgspec.json.encode(moves).decode()
    await conn.execute(
        q.change_settings, {"org_id": org_id, "grid": grid, "raise": raise_events, "moves": stored}
    )


async def cells(
    conn: Connection, org_id: int, grid: Grid, narrowed: str, values: Mapping[str, Any]
) -> dict[Cell, tuple[int, Decimal]]:
    """Contacts and total of each cell that has anybody. `narrowed`: conditions on `r.contact_id` that begin with
    `and`, with their values. Not prepared: the plan depends on them."""
    query = q.cells.replace("/* narrowed */", narrowed)
    cursor = await conn.execute(query.encode(), {**values, "org_id": org_id, "grid": grid}, prepare=False)
    return {Cell(row[0], row[1]): (row[2], row[3]) for row in await cursor.fetchall()}


async def in_cell(
    conn: Connection, org_id: int, grid: Grid, cell: Cell, *, behind: int, limit: int
) -> list[RfmContact]:
    cursor = await conn.execute(q.in_cell, _page(org_id, grid, cell, behind, limit))
    return [RfmContact(*row) for row in await cursor.fetchall()]


async def ids_in_cell(
    conn: Connection, org_id: int, grid: Grid, cell: Cell, *, behind: int, limit: int
) -> Sequence[int]:
    cursor = await conn.execute(q.ids_in_cell, _page(org_id, grid, cell, behind, limit))
    return [row[0] for row in await cursor.fetchall()]


def _page(org_id: int, grid: Grid, cell: Cell, behind: int, limit: int) -> dict[str, Any]:
    return {"org_id": org_id, "grid": grid, **cell._asdict(), "behind": behind, "limit": limit}


async def moves(
    conn: Connection, org_id: int, grid: Grid, *, before: int, limit: int, contact_id: int | None
) -> list[RfmMove]:
    values = {"org_id": org_id, "grid": grid, "before": before, "limit": limit, "contact_id": contact_id}
    return [RfmMove(*row) for row in await (await conn.execute(q.moves, values)).fetchall()]
