"""Rows of a file of any format, and blocks of them: memory does not grow with the file."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import islice
from typing import IO

from perigee.errors import Invalid
from perigee.imports.reader.json_lines import json_rows
from perigee.imports.reader.text import csv_rows
from perigee.imports.reader.workbook import workbook_rows
from perigee.imports.types import Block, Format, Remark, Row

MOST_TOGETHER = 10_000
"""Rows that a block may grow by for the sake of neighbours that belong together."""


Rows = Generator[Row, None, None]
"""To be closed before the file is."""


def all_rows(file: IO[bytes], written: Format) -> Rows:
    """The headings too, where they are a row. Raises Invalid for a file that cannot be read on."""
    if written.kind == "xlsx":
        return workbook_rows(file)
    if written.kind == "jsonl":
        return json_rows(file, written.headings)
    return csv_rows(file, written)


def data_rows(file: IO[bytes], written: Format, *, has_headings: bool | None = None) -> Rows:
    """The rows behind the headings. `has_headings`: other than was recognised."""
    skips = written.has_headings if has_headings is None else has_headings
    with closing(all_rows(file, written)) as rows:
        if skips and written.kind != "jsonl":
            next(rows, None)
        yield from rows


def count(file: IO[bytes], written: Format, *, has_headings: bool | None = None) -> int:
    """Reads the whole file, so a file that breaks its format is refused before its first row is used."""
    return sum(1 for _ in data_rows(file, written, has_headings=has_headings))


def blocks(
    rows: Iterator[Row], *, skip: int, size: int, together: int | None = None
) -> Generator[Block, None, None]:
    """The rows behind the first `skip`. `together`: see `kind.Run`."""
    next(islice(rows, skip, skip), None)
    position = skip
    kept: Row | None = None
    while part := [*([kept] if kept is not None else []), *islice(rows, size - (kept is not None))]:
        kept = None
        if together is not None:
            for row in rows:
                if len(part) >= size + MOST_TOGETHER or not _same(part[-1], row, together):
                    kept = row
                    break
                part.append(row)
        yield _block(position, part)
        position += len(part)


def _same(one: Row, other: Row, place: int) -> bool:
    first, second = one[1], other[1]
    if isinstance(first, Invalid) or isinstance(second, Invalid):
        return False
    return place < len(first) and place < len(second) and first[place].strip() == second[place].strip() != ""


def _block(position: int, part: list[Row]) -> Block:
    lines: list[int] = []
    rows: list[list[str]] = []
    remarks: list[Remark] = []
    for line, cells in part:
        if isinstance(cells, Invalid):
            remarks.append(Remark(line, "error", None, None, cells.message))
        else:
            lines.append(line)
            rows.append(cells)
    return Block(position, len(part), lines, rows, remarks)
