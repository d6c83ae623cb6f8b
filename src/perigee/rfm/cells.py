"""The two grids: six columns of recency by five rows of frequency (product 9). Pure."""

from __future__ import annotations

from bisect import bisect_right
from typing import Literal, NamedTuple, get_args

Grid = Literal["mail", "sales"]
"""`mail`: messages of the channel email that somebody opened; `sales`: delivered orders."""
GRIDS: tuple[Grid, ...] = get_args(Grid)

RECENCY_FROM = (15, 31, 91, 181, 366)
"""Days since the last time at which the columns 2, 3 … begin: two weeks, a month, a quarter, half a year, a year.

Days are those of the calendar in the organisation's time zone; what lies ahead counts as today.
"""
FREQUENCY_FROM = (2, 3, 6, 11)
"""Times at which the rows 2, 3 … begin."""
COLUMNS = len(RECENCY_FROM) + 1
ROWS = len(FREQUENCY_FROM) + 1


class Cell(NamedTuple):
    """Both counted from 1: recency 1 is the latest, frequency 1 is once."""

    recency: int
    frequency: int


def cell(days: int, times: int) -> Cell:
    """Where somebody stands whose last time was so many days ago."""
    return Cell(bisect_right(RECENCY_FROM, days) + 1, bisect_right(FREQUENCY_FROM, times) + 1)


class Span(NamedTuple):
    """Days of a column or times of a row, both ends included; None = no end."""

    number: int
    first: int
    last: int | None


def columns() -> list[Span]:
    return _spans(0, RECENCY_FROM)


def rows() -> list[Span]:
    return _spans(1, FREQUENCY_FROM)


def _spans(first: int, borders: tuple[int, ...]) -> list[Span]:
    ends = [border - 1 for border in borders]
    return [
        Span(number, start, end)
        for number, (start, end) in enumerate(zip((first, *borders), (*ends, None), strict=True), 1)
    ]
