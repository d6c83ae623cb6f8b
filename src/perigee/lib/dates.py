"""Dates and moments of the wire (contract sections 3 and 7.1).

A moment is always an aware datetime in UTC, from year 1900 to 2200, so that every zone, answer and database can
show it. Text without an offset is in the zone given, as a rule the organisation's. Around clock changes: a time
that does not exist (spring) is read as if the clock had not been changed, so 02:30 becomes 03:30; of a time that
exists twice (autumn) the first is meant. Fractions finer than a microsecond are cut off.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo

from perigee.errors import Invalid

FIRST_YEAR, LAST_YEAR = 1900, 2200
PIVOT = 45  # two-digit years: 00–45 are 2000–2045, 46–99 are 1946–1999

_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,12})?)?) ?([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_DAY_FIRST = re.compile(r"([0-9]{1,2})([./])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_moment(field: str, value: object, zone: tzinfo) -> datetime | None:
    """A date with time in any form of the wire; a bare date is its midnight in `zone`. None for null and blanks."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    moment = parse_moment(value, zone) if isinstance(value, str) else None
    if moment is None:
        raise Invalid.of(field, value, "is not a date with time like 2025-03-08T09:30:00+02:00")
    return moment


def to_date(field: str, value: object) -> date | None:
    """A date in any form of the wire; of a date with time the date as it is written. None for null and blanks."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    day = parse_date(value) if isinstance(value, str) else None
    if day is None:
        raise Invalid.of(field, value, "is not a date like 2025-03-08")
    return day


def parse_moment(text: str, zone: tzinfo) -> datetime | None:
    """As `to_moment`; None when the text is not a moment."""
    match = _MOMENT.fullmatch(text) or _MOMENT.fullmatch(text.strip())
    try:
        if match:
            day, time, offset = match.groups()
            moment = datetime.fromisoformat(f"{day}T{time}{offset.upper() if offset else ''}")
        else:
            bare = parse_date(text)
            if bare is None:
                return None
            moment = datetime(bare.year, bare.month, bare.day)
        return in_range((moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def parse_date(text: str) -> date | None:
    """As `to_date`; None when the text is not a date."""
    text = text.strip()
    if match := _DATE.match(text):
        if match.end() != len(text) and not _MOMENT.fullmatch(text):
            return None
        year, month, day = int(match[1]), int(match[2]), int(match[3])
    elif match := _DAY_FIRST.fullmatch(text):
        day, month, year = int(match[1]), int(match[3]), int(match[4])
        if len(match[4]) == 2:
            if match[2] == "/":
                return None  # the contract has dd/MM/yyyy only
            year += 2000 if year <= PIVOT else 1900
    else:
        return None
    try:
        return date(year, month, day) if FIRST_YEAR <= year <= LAST_YEAR else None
    except ValueError:
        return None


def in_range(moment: datetime) -> datetime | None:
    """The moment, or None outside the years we keep."""
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR else None


def from_millis(field: str, value: object) -> datetime | None:
    """A timestamp of whole milliseconds since 1970 (tracker, App Inbox), a numeric string too."""
    if value is None or value == "":
        return None
    text = str(value).strip()
    if (
        not isinstance(value, int | str)
        or isinstance(value, bool)
        or not re.fullmatch(r"-?[0-9]{1,14}", text)
    ):
        raise Invalid.of(field, value, "is not a timestamp in milliseconds")
    moment = in_range(_EPOCH + int(text) * _MILLISECOND)
    if moment is None:
        raise Invalid.of(field, value, f"is not from year {FIRST_YEAR} to {LAST_YEAR}")
    return moment


def to_millis(moment: datetime) -> int:
    """Whole milliseconds since 1970, cut off."""
    return (moment - _EPOCH) // _MILLISECOND


def wire(moment: datetime, zone: tzinfo) -> str:
    """`YYYY-MM-DDTHH:MM:SS` in `zone`, the form of answers."""
    return moment.astimezone(zone).isoformat(timespec="seconds")[:19]


def wire_minutes(moment: datetime, zone: tzinfo) -> str:
    """`YYYY-MM-DDTHH:MM` in `zone`, the form of date-time fields."""
    return moment.astimezone(zone).isoformat(timespec="minutes")[:16]


def rfc3339(moment: datetime) -> str:
    """`YYYY-MM-DDTHH:MM:SS.mmmZ` in UTC, the form of error objects and of our own API."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:23] + "Z"


def yyyymmdd(day: date) -> int:
    """20250308 for 8 March 2025: compact and in order, for partition names and tokens."""
    return day.year * 10_000 + day.month * 100 + day.day


def from_yyyymmdd(number: int) -> date:
    """The date of `yyyymmdd`; ValueError when there is no such day."""
    return date(number // 10_000, number // 100 % 100, number % 100)
