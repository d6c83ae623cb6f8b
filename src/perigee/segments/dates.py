"""Dates and times: operators with both readings. Pure.

All operators speak of whole days of the organisation's zone, `last_hours` excepted. `last_days` of 7 is today and
the seven days before; `before_last_days` of 7 is everything earlier. `anniversary` looks at day and month only.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar

from perigee.errors import Invalid
from perigee.segments.comparisons import Comparison, Key, Scalar, Takes, ValueKind
from perigee.segments.moments import Days, Instants, Moment, anniversaries, instants
from perigee.segments.sql import Sql, both

EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)

_PERIODS: dict[str, Takes] = {
    "on": "value",
    "before": "value",
    "after": "value",
    "between": "range",
    "last_days": "days",
    "before_last_days": "days",
    "next_days": "days",
    "after_next_days": "days",
    "in_days": "shift",
}
_YEARLY: dict[str, Takes] = {"anniversary": "shift", "anniversary_within": "days"}
_PRESENCE: dict[str, Takes] = {"filled": "nothing", "empty": "nothing"}


class _Dates(ValueKind):
    def operand(self, given: Scalar, at: str) -> date:
        try:
            day = date.fromisoformat(given if isinstance(given, str) and len(given) == 10 else "")
        except ValueError:
            day = date.min
        if not EARLIEST <= day <= LATEST:
            raise Invalid.of(at, given, f"must be a date YYYY-MM-DD from {EARLIEST} to {LATEST}")
        return day

    def check(self, comparison: Comparison, at: str) -> None:
        super().check(comparison, at)
        if comparison.op in _YEARLY and abs(comparison.days or 0) > 366:
            raise Invalid.of(f"{at}.days", comparison.days, "must not be more than a year")

    def days(self, comparison: Comparison, moment: Moment) -> Days:
        """The days an operator of `_PERIODS` stands for."""
        match comparison.op:
            case "on":
                return Days(self.value(comparison), self.value(comparison))
            case "before":
                return Days(None, self.value(comparison) - timedelta(days=1))
            case "after":
                return Days(self.value(comparison) + timedelta(days=1), None)
            case "between":
                return Days(self.value(comparison), self.to(comparison))
        number = comparison.days or 0
        match comparison.op:
            case "last_days":
                return Days(moment.day(-number), moment.today)
            case "before_last_days":
                return Days(None, moment.day(-number - 1))
            case "next_days":
                return Days(moment.today, moment.day(number))
            case "after_next_days":
                return Days(moment.day(number + 1), None)
        return Days(moment.day(number), moment.day(number))

    def yearly(self, comparison: Comparison, moment: Moment) -> list[str]:
        """The `MM-DD`s an operator of `_YEARLY` stands for."""
        last = moment.day(comparison.days or 0)
        return anniversaries(last if comparison.op == "anniversary" else moment.today, last)


class Day(_Dates):
    """A date without a time, or a date and time of the organisation's own clock, as ISO text.

    Compared as text by code point, which for ISO is the order of time and cannot fail on a damaged value.
    """

    operators: ClassVar[Mapping[str, Takes]] = _PERIODS | _YEARLY | _PRESENCE

    def sql(self, expression: str, comparison: Comparison, sql: Sql) -> str:
        if comparison.op == "empty":
            return f"({expression} is null or {expression} = '')"
        if comparison.op == "filled":
            return f"{expression} <> ''"
        day = self._day(expression)
        if comparison.op in _YEARLY:
            yearly = self.yearly(comparison, sql.world.moment)
            return f"{self._of_year(expression)} = any({sql.bind(yearly, 'text[]')})"
        days = self.days(comparison, sql.world.moment)
        found = [f"{expression} <> ''"]
        if days.first is not None:
            found.append(f'{day} >= {sql.bind(days.first.isoformat(), "text")} collate "C"')
        if days.last is not None:
            found.append(f'{day} <= {sql.bind(days.last.isoformat(), "text")} collate "C"')
        return f"({both(found)})"

    def key(self, expression: str, comparison: Comparison) -> Key | None:
        if comparison.op in _PRESENCE:
            return None
        if comparison.op in _YEARLY:
            return Key("btree", self._of_year(expression))
        return Key("btree", self._day(expression), "C")

    def _day(self, expression: str) -> str:
        return f"left({expression}, 10)"

    def _of_year(self, expression: str) -> str:
        return f"substr({self._day(expression)}, 6)"

    def holds(self, value: str | None, comparison: Comparison, moment: Moment) -> bool:
        if not value or comparison.op in _PRESENCE:
            return comparison.op == ("filled" if value else "empty")
        day = value[:10]
        if comparison.op in _YEARLY:
            return day[5:] in self.yearly(comparison, moment)
        days = self.days(comparison, moment)
        return (days.first is None or day >= days.first.isoformat()) and (
            days.last is None or day <= days.last.isoformat()
        )


class Instant(_Dates):
    """A moment in time (timestamptz)."""

    operators: ClassVar[Mapping[str, Takes]] = _PERIODS | {"last_hours": "hours"} | _YEARLY | _PRESENCE

    def window(self, comparison: Comparison, moment: Moment) -> Instants:
        if comparison.op == "last_hours":
            return Instants(moment.now - timedelta(hours=comparison.hours or 0), None)
        return instants(self.days(comparison, moment), moment)

    def sql(self, expression: str, comparison: Comparison, sql: Sql) -> str:
        if comparison.op == "empty":
            return f"{expression} is null"
        if comparison.op == "filled":
            return f"{expression} is not null"
        if comparison.op in _YEARLY:
            zone = sql.bind(sql.world.moment.zone.key, "text")
            yearly = sql.bind(self.yearly(comparison, sql.world.moment), "text[]")
            return f"to_char({expression} at time zone {zone}, 'MM-DD') = any({yearly})"
        return f"({both(sql.within(expression, self.window(comparison, sql.world.moment)))})"

    def holds(self, value: datetime | None, comparison: Comparison, moment: Moment) -> bool:
        if value is None or comparison.op in _PRESENCE:
            return comparison.op == ("empty" if value is None else "filled")
        if comparison.op in _YEARLY:
            return f"{value.astimezone(moment.zone):%m-%d}" in self.yearly(comparison, moment)
        return self.window(comparison, moment).holds(value.astimezone(UTC))


class Period(Instant):
    """When something that is always dated happened: the instant's operators without presence and birthdays."""

    operators: ClassVar[Mapping[str, Takes]] = _PERIODS | {"last_hours": "hours"}
