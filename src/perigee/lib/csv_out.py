"""CSV that people open in a spreadsheet (reliability 34, protocols 3.5; ASVS 1.2.10).

A text cell that a spreadsheet would take for a formula gets an apostrophe in front; `unguard` takes it off again when
our own file is imported, so the round trip is exact. Numbers, dates and booleans are written as they are. Exports for
programs use `rows(..., guarded=False)`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime

_FORMULA = re.compile("'*[=+\\-@\t\r\n\x00＝＋－＠]")
_GUARDED = re.compile("''*[=+\\-@\t\r\n\x00＝＋－＠]")
BOM = "\ufeff"  # tells spreadsheets that the file is UTF-8
_CHUNK = 64 * 1024  # characters gathered before they are handed on


def guard(cell: str) -> str:
    """The cell, safe to open. Cells that already look guarded get one apostrophe more, to come back as they were."""
    return "'" + cell if _FORMULA.match(cell) else cell


def unguard(cell: str) -> str:
    """The cell as it was before `guard`."""
    return cell[1:] if _GUARDED.match(cell) else cell


def cell(value: object, *, guarded: bool = True) -> str:
    """One value as it is written: null as an empty cell, booleans in lower case, moments in UTC."""
    if isinstance(value, str):
        return guard(value) if guarded else value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return (
            value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
            if value.tzinfo
            else value.isoformat()
        )
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def rows(lines: Iterable[Sequence[object]], *, guarded: bool = True) -> Iterator[str]:
    """CSV text (RFC 4180, CRLF) in pieces of about 64 KB, so that an export of any length streams."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for line in lines:
        writer.writerow([cell(value, guarded=guarded) for value in line])
        if buffer.tell() >= _CHUNK:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    if buffer.tell():
        yield buffer.getvalue()
