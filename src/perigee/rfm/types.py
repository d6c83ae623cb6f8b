"""Types that cross the borders of this package."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

import msgspec

from perigee.rfm.cells import Cell, Grid


class Moved(NamedTuple):
    """A contact that went from one cell to another."""

    contact_id: int
    start: Cell
    end: Cell


class RfmCell(msgspec.Struct):
    """One cell of a grid; recency 1 is the latest column, frequency 1 the row of once."""

    recency: int
    frequency: int
    contacts: int
    total: Decimal
    """Of their delivered orders, in the organisation's currency; 0 in the grid of mails."""


class RfmSpan(msgspec.Struct):
    """A column (days since the last time) or a row (how many times); `last` null is without end."""

    number: int
    first: int
    last: int | None


class RfmPlace(msgspec.Struct, omit_defaults=True):
    """A cell, or with one half left out a whole column or row, or with both the grid."""

    recency: int | None = None
    frequency: int | None = None

    def holds(self, cell: Cell) -> bool:
        return self.recency in (None, cell.recency) and self.frequency in (None, cell.frequency)


class RfmMoveRule(msgspec.Struct, omit_defaults=True):
    """A move that raises an event. A half that is left out is anywhere."""

    start: RfmPlace = msgspec.field(name="from", default_factory=RfmPlace)
    end: RfmPlace = msgspec.field(name="to", default_factory=RfmPlace)

    def holds(self, moved: Moved) -> bool:
        return self.start.holds(moved.start) and self.end.holds(moved.end)


class RfmGrid(msgspec.Struct):
    """A grid with all its cells, the empty ones too."""

    grid: Grid
    day: date
    """The columns are those of this day in the organisation's time zone."""
    recency: list[RfmSpan]
    frequency: list[RfmSpan]
    contacts: int
    cells: list[RfmCell]
    raise_events: bool
    moves: list[RfmMoveRule]
    """The moves that raise an event; none named means all."""


class RfmContact(msgspec.Struct):
    """A contact in a cell."""

    contact_id: int
    external_id: str | None
    email: str | None
    phone: str | None
    times: int
    total: Decimal
    last_at: datetime
    since: datetime
    """In this cell."""


class RfmMove(msgspec.Struct):
    """A move of the past."""

    move_id: int
    at: datetime
    contact_id: int
    from_recency: int
    from_frequency: int
    to_recency: int
    to_frequency: int


class RfmGridUpdate(msgspec.Struct, forbid_unknown_fields=True):
    """What is absent stays."""

    raise_events: bool | None = None
    """An event of type rfmSalesMoved or rfmMailMoved for each contact that goes from one cell to another."""
    moves: list[RfmMoveRule] | None = None
    """Only these moves raise it; none named: all."""


class RfmExport(msgspec.Struct, forbid_unknown_fields=True):
    segment_id: int
    """A list."""


class RfmExported(msgspec.Struct):
    attached: int
    """Who was not on the list before."""
