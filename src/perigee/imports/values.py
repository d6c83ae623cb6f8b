"""Dates and numbers as spreadsheets of several countries write them. Pure."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from perigee.imports.types import DateOrder, DecimalSign
from perigee.lib import dates

_PARTS: Final = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})")
_TIME: Final = re.compile(r"(.+?)[T ]\s*(\d{1,2}:\d{2}(?::\d{2})?)")
# Days of a spreadsheet's calendar from May 1927 to October 2173: fewer digits may be a year, more a date without signs.
_SERIAL: Final = re.compile(r"[1-9][0-9]{4}(?:\.[0-9]+)?")
_EXCEL: Final = datetime(1899, 12, 30)
_AMBIGUOUS: Final = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_BLANKS: Final = re.compile(r"[\s'\u00a0\u202f]")


def read_date(text: str, order: DateOrder) -> date | None:
    """None: the text is no date, or none of the calendar. Of a date with time the date as it is written."""
    if (serial := _serial(text)) is not None:
        return serial.date()
    if order == "auto" or (len(text) > 4 and text[4] in "-./" and text[:4].isdecimal()):
        return dates.parse_date(text) or _by_parts(text, "ymd" if order == "auto" else order)
    return _by_parts(text, order)


def read_moment(text: str, order: DateOrder, zone: tzinfo) -> datetime | None:
    """Without an offset in `zone`. None: as `read_date`."""
    if (serial := _serial(text)) is not None:
        return dates.parse_moment(serial.isoformat(timespec="seconds"), zone)
    if (found := dates.parse_moment(text, zone)) is not None and order == "auto":
        return found
    if match := _TIME.fullmatch(text):
        day = read_date(match[1].strip(), order)
        return None if day is None else dates.parse_moment(f"{day}T{match[2]:0>5}", zone)
    day = read_date(text, order)
    return found if day is None else dates.parse_moment(day.isoformat(), zone)


def read_number(text: str, sign: DecimalSign) -> str:
    """`1 234,56` as 1234.56; what is no number comes back as it is, to be refused by its type.

    auto: a comma counts as the sign where it is the only one and no point stands behind it. `1,234` may mean two
    numbers, so it stays as it is.
    """
    plain = _BLANKS.sub("", text)
    if sign == ",":
        return plain.replace(".", "").replace(",", ".")
    if sign == "auto" and _AMBIGUOUS.fullmatch(plain):
        return plain
    if sign == "." or plain.count(",") != 1 or "." in plain.partition(",")[2]:
        return plain.replace(",", "")
    return plain.replace(".", "").replace(",", ".")


def _serial(text: str) -> datetime | None:
    if not _SERIAL.fullmatch(text):
        return None
    return _EXCEL + timedelta(seconds=round(float(text) * 86400))


def _by_parts(text: str, order: DateOrder) -> date | None:
    match = _PARTS.fullmatch(text.partition(" ")[0].partition("T")[0])
    if match is None:
        return None
    one, _, two, three = match.groups()
    if len(one) == 4:
        order = "ymd"
    year, month, day = {
        "ymd": (one, two, three),
        "mdy": (three, one, two),
    }.get(order, (three, two, one))
    if len(year) not in (2, 4) or len(month) > 2 or len(day) > 2:
        return None
    number = int(year)
    if len(year) == 2:
        number += 2000 if number <= dates.PIVOT else 1900
    try:
        return date(number, int(month), int(day)) if dates.FIRST_YEAR <= number <= dates.LAST_YEAR else None
    except ValueError:
        return None
