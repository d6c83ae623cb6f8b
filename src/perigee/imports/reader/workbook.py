"""The first sheet of an XLSX file, row by row (ECMA-376).

A workbook is a zip: what it unpacks to is capped before anything is unpacked. Only the sheet streams; the texts that
its cells share are held, so they have a cap of their own.
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Generator
from datetime import date, datetime, time
from typing import IO, Any, Final

import structlog
from openpyxl import load_workbook

from perigee.errors import Invalid
from perigee.imports.types import Row

log = structlog.get_logger()

MB: Final = 1 << 20
UNPACKED: Final = 4096 * MB
"""Bytes of all parts. A million rows of ten cells come to about 400 MB."""
HELD: Final = 128 * MB
"""Bytes of each part but the sheets."""
PARTS: Final = 10_000
ROWS: Final = 1_048_576
"""Of a sheet (ECMA-376). A few bytes can say that the next row has a number in the billions."""
COLUMNS: Final = 1000


def is_workbook(file: IO[bytes]) -> bool:
    file.seek(0)
    return file.read(4) == b"PK\x03\x04"


def workbook_rows(file: IO[bytes]) -> Generator[Row, None, None]:
    """Every row that is not blank, the headings too, with its number in the sheet. Raises Invalid."""
    _check(file)
    file.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about features of the sheet that are of no use here
            book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
    except Exception as error:  # whatever it stumbles over in a part that is not sound
        raise _broken(error) from None
    try:
        if not book.worksheets:
            raise Invalid("file: the workbook has no sheet", field="file")
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # a read-only sheet; what it says of its size may be wrong
        for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
            if number > ROWS or len(values) > COLUMNS:
                raise Invalid(
                    f"file: row {number} of the sheet has {len(values)} columns; the most are {COLUMNS} columns "
                    f"and {ROWS} rows",
                    field="file",
                )
            cells = [_text(value) for value in values]
            if any(cells) and any(map(str.strip, cells)):
                yield number, cells
    except Invalid:
        raise
    except Exception as error:  # as above
        raise _broken(error) from None
    finally:
        book.close()


def _broken(error: Exception) -> Invalid:
    """What a library stumbled over is for the log; who sent the file learns what to do about it."""
    log.info("a workbook cannot be read", error=type(error).__name__, detail=str(error)[:200])
    return Invalid(
        "file: is not a sound XLSX workbook; open it in a spreadsheet and save it again, or as CSV",
        field="file",
    )


def _check(file: IO[bytes]) -> None:
    try:
        with zipfile.ZipFile(file) as parts:
            found = parts.infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise _broken(error) from None
    unpacked = sum(part.file_size for part in found)
    held = max((part.file_size for part in found if "/worksheets/" not in part.filename), default=0)
    if len(found) > PARTS or unpacked > UNPACKED or held > HELD:
        raise Invalid(
            f"file: the workbook unpacks to {unpacked // MB} MB, the largest part but the sheets to {held // MB} MB; "
            f"the most are {UNPACKED // MB} and {HELD // MB} MB. Save it as CSV",
            field="file",
        )


def _text(value: Any) -> str:
    """A cell as CSV would have it. Whole numbers lose their `.0`, midnights their time."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time.min else value.isoformat(timespec="seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)
