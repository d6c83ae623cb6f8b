"""Periods of the wire: `dateFrom` and `dateTo`, dates or dates with time, in the organisation's zone (contract 3, 8.4, 11.3)."""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple

from perigee.errors import Invalid
from perigee.lib.dates import parse_moment, to_date

_BARE_DATE = re.compile(r"[0-9]+[-./][0-9]+[-./][0-9]+")
_EATEN_PLUS = re.compile(r"([Tt ][0-9]{2}:[0-9]{2}[0-9:.,]*) ([0-9]{2}:?[0-9]{2})")


class Period(NamedTuple):
    """From `start` on, before `end`."""

    start: datetime
    end: datetime


def read_period(
    date_from: str | None, date_to: str | None, zone: tzinfo, *, months: int | None = None
) -> Period:
    """Both are required; a bare `dateTo` includes its day. `months`: the longest span, in months of the calendar.

    Raises Invalid: missing, unreadable, the wrong way round, too long.
    """
    start = _moment("dateFrom", date_from, zone)
    last = _moment("dateTo", date_to, zone)
    if last < start:
        raise Invalid.of("dateTo", date_to, f"is before dateFrom '{(date_from or '')[:40]}'")
    if months is not None and last > _months_later(start.astimezone(zone), months):
        raise Invalid.of("dateTo", date_to, f"is more than {months} months after dateFrom")
    if _BARE_DATE.fullmatch((date_to or "").strip()):
        last = midnight(last.astimezone(zone).date() + timedelta(days=1), zone)
    return Period(start, last)


def read_days(date_from: str | None, date_to: str | None, today: date) -> tuple[date, date]:
    """First and last day; each is today where it is not given. Raises Invalid: unreadable, the wrong way round."""
    first = to_date("dateFrom", date_from) or today
    last = to_date("dateTo", date_to) or today
    if last < first:
        raise Invalid.of("dateTo", last, f"is before dateFrom '{first}'")
    return first, last


def midnight(day: date, zone: tzinfo) -> datetime:
    """The beginning of the day in the zone."""
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def _months_later(moment: datetime, months: int) -> datetime:
    """From 30 November three months last until 28 February."""
    years, month = divmod(moment.month - 1 + months, 12)
    year, month = moment.year + years, month + 1
    return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))


def _moment(field: str, text: str | None, zone: tzinfo) -> datetime:
    """A `+` that a client left as it is in the query has become a blank."""
    if text is None or not text.strip():
        raise Invalid(f"{field}: is required", field=field)
    moment = parse_moment(_EATEN_PLUS.sub(r"\1+\2", text.strip()), zone)
    if moment is None:
        raise Invalid.of(
            field, text, "is not a date like 2025-03-08 or a date with time like 2025-03-08T09:30:00"
        )
    return moment
