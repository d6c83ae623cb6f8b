"""The moment a condition is read at, and the day borders that follow from it. Pure.

Days are those of the organisation's time zone. A day begins at its first instant, also where clocks jump over
midnight. All borders are worked out here, once, so that SQL and `match` compare with the same instants.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo


class Moment(NamedTuple):
    """Now, and the zone whose days count. `now` carries its zone."""

    now: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def day(self, days: int) -> date:
        """The day so many days from today; before today for a negative number."""
        return self.today + timedelta(days=days)

    def start_of(self, day: date) -> datetime:
        """The first instant of a day. A midnight that the clocks skip or repeat is the first of its instants."""
        return datetime.combine(day, time(), self.zone).astimezone(UTC)


class Days(NamedTuple):
    """Whole days from `first` to `last`, both within; None = without end on that side."""

    first: date | None
    last: date | None

    def holds(self, day: date) -> bool:
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)


class Instants(NamedTuple):
    """From `start`, within, to `end`, not within; None = without end on that side."""

    start: datetime | None
    end: datetime | None

    def holds(self, at: datetime) -> bool:
        return (self.start is None or at >= self.start) and (self.end is None or at < self.end)


def instants(days: Days, moment: Moment) -> Instants:
    return Instants(
        None if days.first is None else moment.start_of(days.first),
        None if days.last is None else moment.start_of(days.last + timedelta(days=1)),
    )


def anniversaries(first: date, last: date) -> list[str]:
    """`MM-DD` of every day from `first` to `last`. Who was born on 29 February has the 28th in other years."""
    days = [first + timedelta(days=n) for n in range(min((last - first).days, 366) + 1)]
    found = {f"{day:%m-%d}" for day in days}
    if any(f"{day:%m-%d}" == "02-28" and f"{day + timedelta(days=1):%m-%d}" == "03-01" for day in days):
        found.add("02-29")
    return sorted(found)
