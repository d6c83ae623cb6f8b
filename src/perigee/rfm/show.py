"""The grids as marketers see them, and what they do with a cell."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from perigee.db.pool import Connection
from perigee.errors import Invalid, NotFound
from perigee.rfm import read_store as store
from perigee.rfm.cells import COLUMNS, GRIDS, ROWS, Cell, Grid, Span, columns, rows
from perigee.rfm.types import RfmCell, RfmGrid, RfmMoveRule, RfmPlace, RfmSpan
from perigee.segments import static
from perigee.segments.compile import compile_ids
from perigee.segments.limits import bounded
from perigee.segments.narrow import narrow
from perigee.segments.reading import read_segment
from perigee.segments.static import People

MAX_RULES = 100
CHUNK = 20_000
"""Contacts put on a list by one statement."""


def to_grid(text: str) -> Grid:
    """Raises NotFound."""
    for grid in GRIDS:
        if grid == text:
            return grid
    raise NotFound(f"There is no RFM grid '{text[:80]}': they are {' and '.join(GRIDS)}")


def to_cell(recency: int, frequency: int) -> Cell:
    """Raises NotFound."""
    if not (1 <= recency <= COLUMNS and 1 <= frequency <= ROWS):
        raise NotFound(
            f"There is no cell {recency}, {frequency}: recency is 1 to {COLUMNS}, frequency 1 to {ROWS}"
        )
    return Cell(recency, frequency)


async def show(
    conn: Connection,
    org_id: int,
    grid: Grid,
    now: datetime,
    *,
    segment_id: int | None = None,
    sent_days: int | None = None,
) -> RfmGrid:
    """All cells with their living contacts; of one segment, or only of people who were sent a message in the last
    `sent_days` days.

    Raises NotFound for the segment, Unavailable when that takes longer than 30 s.
    """
    settings = await store.settings(conn, org_id, grid)
    conditions, values = await _narrowed(conn, org_id, now, segment_id, sent_days)
    async with bounded(conn):
        found = await store.cells(conn, org_id, grid, conditions, values)
    cells = [
        RfmCell(recency, frequency, *found.get(Cell(recency, frequency), (0, 0)))
        for frequency in range(1, ROWS + 1)
        for recency in range(1, COLUMNS + 1)
    ]
    return RfmGrid(
        grid=grid,
        day=settings.day,
        recency=_spans(columns()),
        frequency=_spans(rows()),
        contacts=sum(cell.contacts for cell in cells),
        cells=cells,
        raise_events=settings.raise_events,
        moves=settings.moves,
    )


def _spans(spans: list[Span]) -> list[RfmSpan]:
    return [RfmSpan(*span) for span in spans]


async def _narrowed(
    conn: Connection, org_id: int, now: datetime, segment_id: int | None, sent_days: int | None
) -> tuple[str, dict[str, Any]]:
    conditions, values = "", dict[str, Any]()
    if segment_id is not None:
        reading = await read_segment(conn, org_id, segment_id, now)
        async with bounded(conn):
            reading = await narrow(conn, reading)
        people = compile_ids(*reading, prefix="s")
        conditions += f" and r.contact_id in ({people.sql})"
        values |= people.values
    if sent_days is not None:
        conditions += (
            " and exists (select from activity a where a.org_id = %(org_id)s and a.contact_id = r.contact_id"
            " and a.status in ('SENT', 'DELIVERED') and a.at >= %(sent_after)s)"
        )
        values["sent_after"] = now - timedelta(days=sent_days)
    return conditions, values


async def change(
    conn: Connection,
    org_id: int,
    grid: Grid,
    *,
    raise_events: bool | None = None,
    moves: list[RfmMoveRule] | None = None,
) -> None:
    """What is None stays. Raises Invalid for a rule that names no cell of the grid."""
    if moves is not None and len(moves) > MAX_RULES:
        raise Invalid(f"moves: {len(moves)} rules are more than {MAX_RULES}", field="moves")
    for number, rule in enumerate(moves or ()):
        _check(f"moves[{number}].from", rule.start)
        _check(f"moves[{number}].to", rule.end)
    await store.change_settings(conn, org_id, grid, raise_events=raise_events, moves=moves)


def _check(field: str, place: RfmPlace) -> None:
    for name, value, most in (("recency", place.recency, COLUMNS), ("frequency", place.frequency, ROWS)):
        if value is not None and not 1 <= value <= most:
            raise Invalid.of(f"{field}.{name}", value, f"must be from 1 to {most}")


async def put_on_list(conn: Connection, org_id: int, grid: Grid, cell: Cell, segment_id: int) -> int:
    """Puts the people of a cell on a list, all or none; how many are new on it.

    Raises NotFound, and Invalid for a dynamic segment.
    """
    added, behind = 0, 0
    while ids := await store.ids_in_cell(conn, org_id, grid, cell, behind=behind, limit=CHUNK):
        added += await static.attach(conn, org_id, segment_id, People(contact_ids=ids), most=CHUNK)
        behind = ids[-1]
    if not behind:  # nobody: the list must be one all the same
        await static.detach(conn, org_id, segment_id, People())
    return added
