"""A CSV file of contacts (RFC 4180), read row by row: memory does not grow with the file. Pure, but for reading it.

A file that breaks the format is refused as a whole before its first row is used (`survey`); a row that breaks a
contact's rules is refused alone.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Generator, Iterator, Mapping, Sequence
from itertools import islice
from typing import IO, Final, NamedTuple, Protocol

from perigee.contacts.bulk_options import Options
from perigee.contacts.clean import clean, has_channel, no_channel
from perigee.contacts.rows import ContactRow
from perigee.contacts.types import WireAddress, WireChannel, WireContact, WireField
from perigee.contacts.upload.headings import Column, columns
from perigee.errors import Invalid
from perigee.lib.csv_out import unguard

SEPARATORS: Final = ",;\t"
HEADINGS_LENGTH: Final = 100_000
"""Characters of the first line that are looked at to find the separator."""


class Survey(NamedTuple):
    """What a file is: its headings and how many rows follow."""

    headings: list[str]
    rows: int


class Step(NamedTuple):
    """Rows of the file that are written together. `position`: rows of the file before it."""

    position: int
    length: int
    lines: list[int]
    """Of each contact the line on which its row ends."""
    contacts: list[ContactRow]
    failures: list[str]


def survey(file: IO[bytes]) -> Survey:
    """Reads the whole file. Raises Invalid for a file that is no CSV or holds no row."""
    with _lines(file) as text:
        reader = _reader(text)
        headings = next(reader, [])
        rows = sum(1 for cells in reader if _is_row(cells))
    if not rows:
        raise Invalid("link: the file has no line below its headings", field="link")
    return Survey([heading.strip() for heading in headings], rows)


def steps(
    file: IO[bytes], fields: Mapping[str, int], options: Options, *, skip: int, size: int
) -> Generator[Step, None, None]:
    """The rows behind the first `skip`, cleaned, `size` at a time. Raises Invalid as `survey` and `columns` do."""
    with _lines(file) as text:
        reader = _reader(text)
        named = columns(next(reader, []), fields, options.dedupe_on)
        rows = ((reader.line_num, cells) for cells in reader if _is_row(cells))
        next(islice(rows, skip, skip), None)  # moves on by so many
        position = skip
        while part := list(islice(rows, size)):
            yield _step(position, part, named, options)
            position += len(part)


def _step(
    position: int, part: Sequence[tuple[int, list[str]]], named: Sequence[Column], options: Options
) -> Step:
    step = Step(position, len(part), [], [], [])
    for line, cells in part:
        try:
            row = clean(contact(cells, named))
            if not has_channel(row) and options.dedupe_on != "id":
                raise no_channel()
            options.check_key(row)
        except Invalid as error:
            step.failures.append(f"line {line}: {error.message}")
        else:
            step.lines.append(line)
            step.contacts.append(row)
    return step


def contact(cells: Sequence[str], named: Sequence[Column]) -> WireContact:
    """A row as the contact of the wire. Blank cells say nothing; cells without a heading are left out."""
    found = WireContact()
    channels: list[WireChannel | None] = []
    given: list[WireField | None] = []
    for cell, (kind, name) in zip(cells, named, strict=False):
        value = unguard(cell).strip()
        if not value or kind == "ignored":
            continue
        if kind == "member":
            setattr(found, name, value)
        elif kind == "channel":
            channels.append(WireChannel(type=name, value=value))
        elif kind == "field":
            given.append(WireField(id=int(name), value=value))
        else:
            found.address = found.address or WireAddress()
            setattr(found.address, name, value)
    found.channels, found.fields = channels, given
    return found


def _is_row(cells: Sequence[str]) -> bool:
    return any(cell.strip() for cell in cells)


class _lines:
    """The file as text from its beginning; closing the text leaves the file open."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def __enter__(self) -> io.TextIOWrapper:
        self._file.seek(0)
        self._text = io.TextIOWrapper(self._file, encoding="utf-8-sig", newline="")
        return self._text

    def __exit__(self, *_: object) -> None:
        self._text.detach()


def _reader(text: io.TextIOWrapper) -> _Reader:
    first = text.readline(HEADINGS_LENGTH)
    text.seek(0)
    separator = max(SEPARATORS, key=first.count)
    return _Reader(csv.reader(text, delimiter=separator, strict=True))


class _CsvReader(Protocol):
    line_num: int

    def __next__(self) -> list[str]: ...


class _Reader:
    """A csv reader whose complaints name the line."""

    def __init__(self, reader: _CsvReader) -> None:
        self._reader = reader

    @property
    def line_num(self) -> int:
        return self._reader.line_num

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        try:
            return next(self._reader)
        except csv.Error as error:
            raise Invalid(
                f"link: line {max(1, self.line_num)} of the file is not CSV: {error}", field="link"
            ) from None
