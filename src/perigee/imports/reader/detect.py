"""What a file is: its format, its headings, the types of its columns, and what they seem to mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC
from itertools import islice
from typing import IO, Final

from msgspec import UNSET

from perigee.errors import Invalid
from perigee.imports.reader.json_lines import is_json_lines, members
from perigee.imports.reader.rows import Rows, all_rows, data_rows
from perigee.imports.reader.text import dialect_of, encoding_of
from perigee.imports.reader.workbook import is_workbook
from perigee.imports.types import Column, Format, Target, ValueType
from perigee.imports.values import read_date, read_moment, read_number
from perigee.lib.addresses import normal_email, normal_phone
from perigee.lib.csv_out import unguard
from perigee.lib.text import clean

SAMPLE: Final = 100
SHOWN: Final = 3
"""Different values of a column that are shown."""
MOST_COLUMNS: Final = 1000
HEADING_LENGTH: Final = 255
_OLD_OFFICE: Final = b"\xd0\xcf\x11\xe0"


def format_of(file: IO[bytes], targets: Sequence[Target]) -> Format:
    """Raises Invalid for a file that is none of ours or has no row."""
    file.seek(0)
    if file.read(4) == _OLD_OFFICE:
        raise Invalid("file: is an old Excel file (.xls); save it as XLSX or CSV", field="file")
    if is_workbook(file):
        written = Format("xlsx")
    elif is_json_lines(file):
        written = Format("jsonl", has_headings=False, headings=members(file))
    else:
        encoding = encoding_of(file)
        separator, quote = dialect_of(file, encoding)
        written = Format("csv", encoding, separator, quote)
    rows = _sample(all_rows(file, written))
    if not rows:
        raise Invalid("file: has no row", field="file")
    width = len(written.headings) or max(map(len, rows))
    if width > MOST_COLUMNS:
        raise Invalid(f"file: has {width} columns, the most are {MOST_COLUMNS}", field="file")
    if written.kind == "jsonl":
        return written
    known = {alias for target in targets for alias in _names(target)}
    first = [clean(cell).strip()[:HEADING_LENGTH] for cell in rows[0]]
    has = _are_headings(first, rows[1:], known)
    headings = [first[place] if has and place < len(first) else "" for place in range(width)]
    return Format(written.kind, written.encoding, written.separator, written.quote, has, headings)


def columns_of(file: IO[bytes], written: Format, targets: Sequence[Target]) -> list[Column]:
    """Every column with its type and a few values; at most one has each target. Raises Invalid."""
    rows = _sample(data_rows(file, written))
    values = [
        [unguard(cells[place]).strip() for cells in rows if place < len(cells) and cells[place].strip()]
        for place in range(len(written.headings))
    ]
    found = [
        Column(place, heading, type_of(column), samples=list(dict.fromkeys(column))[:SHOWN])
        for place, (heading, column) in enumerate(zip(written.headings, values, strict=True))
    ]
    _suggest(found, targets)
    return found


def _sample(source: Rows) -> list[list[str]]:
    with closing(source) as rows:
        return [cells for _, cells in islice(rows, SAMPLE) if not isinstance(cells, Invalid)]


def fold(heading: str) -> str:
    """What headings are compared by: letters and digits, in lower case, with the points of `GROUP.FIELD`."""
    return re.sub(r"[^\w.]|_", "", heading).casefold()


def type_of(values: Sequence[str]) -> ValueType:
    """What most of the values are, for numbers nearly all; text where there are none."""
    for name, (fits, share) in _TYPES.items():
        if values and sum(1 for value in values if fits(value)) >= len(values) * share:
            return name
    return "text"


def _is_email(value: str) -> bool:
    return "@" in value and normal_email(value) is not None


def _is_number(value: str) -> bool:
    return re.fullmatch(r"[+-]?[0-9]{1,15}", value) is not None and (value == "0" or value[0] != "0")


def _is_phone(value: str) -> bool:
    digits = sum(map(str.isdecimal, value))
    if not 9 <= digits <= 15 or normal_phone(value) is None:
        return False
    return value[0] in "+(" or not value.isdecimal() or 10 <= digits <= 13


def _is_decimal(value: str) -> bool:
    return re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", read_number(value, "auto")) is not None


def _is_date(value: str) -> bool:
    return not value.isdecimal() and len(value) <= 10 and read_date(value, "auto") is not None


def _is_moment(value: str) -> bool:
    return len(value) > 10 and ":" in value and read_moment(value, "auto", UTC) is not None


_TYPES: Final[dict[ValueType, tuple[Callable[[str], bool], float]]] = {
    "email": (_is_email, 0.6),
    "date": (_is_date, 0.6),
    "datetime": (_is_moment, 0.6),
    "phone": (_is_phone, 0.6),
    "number": (_is_number, 0.9),
    "decimal": (_is_decimal, 0.9),
}
"""With the share of the values that must fit: files hold mistakes."""


def _names(target: Target) -> list[str]:
    return [fold(name) for name in (target.name, target.title, *target.aliases)]


def _are_headings(first: Sequence[str], rows: Sequence[Sequence[str]], known: set[str]) -> bool:
    """A known heading, or texts above columns of something else. One row alone is data unless it says otherwise."""
    types = [type_of([cell]) for cell in first if cell]
    if any(kind in ("email", "date", "datetime", "phone") for kind in types):
        return False
    if any(fold(cell) in known for cell in first if cell):
        return True
    if not rows or len(set(first)) < len(first) or any(kind != "text" for kind in types):
        return False
    below = [[row[place] for row in rows if place < len(row) and row[place]] for place in range(len(first))]
    return any(type_of(column) != "text" for column in below)


def _suggest(found: Sequence[Column], targets: Sequence[Target]) -> None:
    """By the heading first, then, for what is told by its values, by the type."""
    by_name = {name: target.name for target in reversed(targets) for name in _names(target)}
    free = {target.name for target in targets}
    for column in found:
        target = by_name.get(fold(column.heading)) if column.heading else None
        if target in free:
            free.discard(target)
            column.target = target
    for column in found:
        if column.target is UNSET and column.type in ("email", "phone") and column.type in free:
            free.discard(column.type)
            column.target = column.type
