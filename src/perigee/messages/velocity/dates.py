"""Dates as `$dateTool` reads and writes them: patterns of Java's SimpleDateFormat (TRACKING 8.2).

Writing is Babel's, whose patterns are the same but for rare letters. Reading knows digits, names of months in
English and offsets. A date without an offset stays without one; where a moment is needed it is taken as UTC.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from perigee.messages.person import text_of
from perigee.messages.velocity.values import Fault, number

DEFAULT = "dd/MM/yyyy HH:mm"
INPUTS = (DEFAULT, "dd/MM/yyyy", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd")
"""How a date is read that comes without a pattern; ISO 8601 with seconds and offset as well."""
PATTERN_LENGTH = 100

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_PIECE = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|.", re.DOTALL)
_GROUPS = {
    "y": r"(?P<y>[0-9]{1,4})",
    "M": r"(?P<M>[0-9]{1,2})",
    "d": r"(?P<d>[0-9]{1,2})",
    "H": r"(?P<H>[0-9]{1,2})",
    "h": r"(?P<h>[0-9]{1,2})",
    "m": r"(?P<m>[0-9]{1,2})",
    "s": r"(?P<s>[0-9]{1,2})",
    "S": r"(?P<S>[0-9]{1,6})",
    "a": r"(?P<a>[AaPp][Mm])",
    "Z": r"(?P<Z>Z|[+-][0-9]{2}:?[0-9]{2})",
    "E": r"[^\W\d_]+",
}
_GROUPS["X"] = _GROUPS["Z"]
_MONTH_NAME = r"(?P<name>[A-Za-z]{3,9})"
_ZONE = re.compile(r"(?:GMT|UTC)(?:([+-])([0-9]{1,2})(?::?([0-9]{2}))?)?")


def read(value: object, pattern: str | None = None) -> tuple[datetime, str]:
    """A date and the pattern it was read by: milliseconds since 1970, or text. Raises Fault."""
    if isinstance(value, datetime):
        return value, DEFAULT
    if pattern is None and (moment := _milliseconds(value)):
        return moment, DEFAULT
    text = text_of(value).strip()
    if len(text) <= PATTERN_LENGTH:
        for candidate in INPUTS if pattern is None else (pattern,):
            if found := _match(text, candidate):
                return found, candidate
        if pattern is None and (found := _iso(text)):
            return found, "yyyy-MM-dd'T'HH:mm:ss" + ("XXX" if found.tzinfo else "")
    raise Fault(f"{text[:40]!r} is not a date like {pattern or DEFAULT}")


def _milliseconds(value: object) -> datetime | None:
    milliseconds = number(value)
    if milliseconds is None or (isinstance(value, str) and len(value.strip()) < 11):
        return None
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    except OverflowError:
        raise Fault(f"{text_of(value)[:40]} is not a moment in milliseconds") from None


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _match(text: str, pattern: str) -> datetime | None:
    match = _compiled(pattern).fullmatch(text)
    if match is None:
        return None
    try:
        return _built({name: part for name, part in match.groupdict().items() if part})
    except ValueError:
        return None


def _built(parts: dict[str, str]) -> datetime:
    year = int(parts.get("y", "1970"))
    if len(parts.get("y", "")) == 2:
        year += 2000 if year <= 45 else 1900
    month = _MONTHS.index(parts["name"][:3].lower()) + 1 if "name" in parts else int(parts.get("M", "1"))
    hour = int(parts.get("H", parts.get("h", "0")))
    if "a" in parts and "h" in parts:
        hour = hour % 12 + (12 if parts["a"].lower() == "pm" else 0)
    fraction = int(parts.get("S", "0").ljust(6, "0"))
    day, minute, second = (
        int(parts.get(name, first)) for name, first in (("d", "1"), ("m", "0"), ("s", "0"))
    )
    return datetime(year, month, day, hour, minute, second, fraction, tzinfo=_offset(parts.get("Z")))


def _offset(text: str | None) -> tzinfo | None:
    if text is None or text == "Z":
        return None if text is None else UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Raises Fault for a pattern that dates cannot be read by."""
    if len(pattern) > PATTERN_LENGTH:
        raise Fault(f"a date pattern has more than {PATTERN_LENGTH} characters")
    out: list[str] = []
    used: set[str] = set()
    for piece in _PIECE.finditer(pattern):
        letter = piece[2]
        if letter is None:
            literal = piece[0] if piece[1] is None else (piece[1].replace("''", "'") or "'")
            out.append(re.escape(literal))
        elif letter not in _GROUPS or (letter in used and letter != "E"):
            raise Fault(f"dates cannot be read by the pattern {pattern!r}")
        else:
            touches = (
                pattern[piece.end() : piece.end() + 1].isalpha() or pattern[: piece.start()][-1:].isalpha()
            )
            named = letter == "M" and len(piece[0]) > 2
            out.append(_MONTH_NAME if named else _group(letter, len(piece[0]) if touches else 0))
            used.add("Z" if letter == "X" else letter)
    return re.compile("".join(out))


def _group(letter: str, length: int) -> str:
    """Fields that touch one another are told apart by their lengths (`yyyyMMdd`)."""
    group = _GROUPS[letter]
    return re.sub(r"\{1,\d\}", f"{{{length}}}", group) if length and letter in "yMdHhms" else group


def show(moment: datetime, pattern: str) -> str:
    """Raises Fault for a pattern that is none."""
    if len(pattern) > PATTERN_LENGTH:
        raise Fault(f"a date pattern has more than {PATTERN_LENGTH} characters")
    zone: Any = moment.tzinfo or UTC
    try:
        return format_datetime(moment.replace(tzinfo=zone), pattern, tzinfo=zone, locale="en")
    except (KeyError, ValueError, NotImplementedError, AttributeError):
        raise Fault(f"{pattern!r} is not a date pattern") from None


def zone_named(name: str) -> tzinfo:
    """`GMT+3`, `UTC`, `Europe/Kyiv`. Raises Fault."""
    if match := _ZONE.fullmatch(name):
        sign, hours, minutes = match.groups()
        offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        if offset < timedelta(hours=24):
            return timezone(-offset if sign == "-" else offset)
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # no such name, a folder, not a name at all
        raise Fault(f"{name[:40]!r} is not a time zone") from None


def added(moment: datetime, unit: str, count: int) -> datetime:
    """`unit`: years, months, days, hours or minutes. The 31st becomes the last of a shorter month. Raises Fault."""
    try:
        if unit not in ("years", "months"):
            return moment + timedelta(**{unit: count})
        months = moment.year * 12 + moment.month - 1 + count * (12 if unit == "years" else 1)
        year, month = divmod(months, 12)
        return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))
    except (ValueError, OverflowError):
        raise Fault(f"{count} {unit} lead beyond the calendar") from None


SECONDS = {"DAYS": 86_400, "HOURS": 3_600, "MINUTES": 60}


def between(first: datetime, second: datetime, unit: str) -> int:
    """Whole units from `first` to `second`, negative when `second` is earlier. Raises Fault for an unknown unit."""
    first, second = (d if d.tzinfo else d.replace(tzinfo=UTC) for d in (first, second))
    if unit in SECONDS:
        return int((second - first).total_seconds() / SECONDS[unit])
    if unit not in ("YEARS", "MONTHS"):
        raise Fault(f"{unit[:40]!r} is none of YEARS, MONTHS, DAYS, HOURS, MINUTES")
    if second < first:
        return -between(second, first, unit)
    second = second.astimezone(first.tzinfo)
    months = (second.year - first.year) * 12 + second.month - first.month
    if added(first, "months", months) > second:
        months -= 1
    return months // 12 if unit == "YEARS" else months
