"""How often something must have happened: comparisons of a count, which may be none at all. Pure.

Who has nothing in a table has no row there. A count that allows none is therefore read the other way round: as
the set of those with too many.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar, NamedTuple

from perigee.errors import Invalid
from perigee.segments.comparisons import Comparison, Scalar, Takes
from perigee.segments.leaves.leaf import NOBODY, Effort, Members
from perigee.segments.sql import Sql
from perigee.segments.values import Number

MOST = 1_000_000_000


class Count(Number):
    """Whole numbers from 0."""

    operators: ClassVar[Mapping[str, Takes]] = {
        "at_least": "value",
        "at_most": "value",
        "equals": "value",
        "greater": "value",
        "less": "value",
        "between": "range",
    }

    def operand(self, given: Scalar, at: str) -> Decimal:
        number = super().operand(given, at)
        if not 0 <= number <= MOST or number != int(number):
            raise Invalid.of(at, given, f"must be a whole number from 0 to {MOST}")
        return number

    def sql(self, expression: str, comparison: Comparison, sql: Sql) -> str:
        """Integers are compared with integers: a cast would hide the column's statistics from the planner."""
        low, high = times(comparison)
        if high is None:
            return f"{expression} >= {sql.bind(low, 'bigint')}"
        return f"{expression} between {sql.bind(low, 'bigint')} and {sql.bind(high, 'bigint')}"


COUNT = Count()
ONCE = Comparison("at_least", value=1)


class Times(NamedTuple):
    """From `low` to `high` times, both within; None = any number."""

    low: int
    high: int | None


def times(comparison: Comparison) -> Times:
    value = int(COUNT.value(comparison))
    match comparison.op:
        case "at_least":
            return Times(value, None)
        case "greater":
            return Times(value + 1, None)
        case "at_most":
            return Times(0, value)
        case "less":
            return Times(0, value - 1)
        case "equals":
            return Times(value, value)
    return Times(value, int(COUNT.to(comparison)))


def effort(comparison: Comparison) -> Effort:
    """Of `happened`: for "at all" and "never" a look is enough."""
    looks = (Times(0, None), Times(0, 0), Times(1, None))
    return Effort.LOOK if times(comparison) in looks else Effort.COUNT


def happened(sql: Sql, comparison: Comparison, contact: str, source: str, each: str = "*") -> Members:
    """Whom something happened to so often. `source` is `from … where …`, one row per happening, `contact` its
    column of the contact's id; `each`: what is counted."""
    low, high = times(comparison)
    if low > 0:
        return Members(_so_often(sql, low, high, contact, source, each))
    if high is None:
        return Members(NOBODY, inside=False)
    if high < 0:
        return Members(NOBODY)
    return Members(_so_often(sql, high + 1, None, contact, source, each), inside=False)


def _so_often(sql: Sql, low: int, high: int | None, contact: str, source: str, each: str) -> str:
    select = f"select {contact} {source}"
    if low == 1 and high is None:
        return select
    count = f"count({each}) >= {sql.bind(low, 'bigint')}"
    if high is not None:
        count += f" and count({each}) <= {sql.bind(high, 'bigint')}"
    return f"{select} group by {contact} having {count}"
