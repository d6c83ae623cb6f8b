"""Text of files: in what encoding it is, and how its cells are separated. Pure, but for reading the file."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import IO, Final

from perigee.errors import Invalid
from perigee.imports.types import Format, Row

PIECE: Final = 1 << 20
SEPARATORS: Final = (",", ";", "\t", "|")
SAMPLE_LINES: Final = 30
CELL_LENGTH: Final = 131_072
"""Characters of one cell; a quote that is never closed would swallow the rest of the file."""

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def encoding_of(file: IO[bytes]) -> str:
    """By its mark, else UTF-8 where the whole file is, else UTF-16 by its nulls, else Windows-1251 or -1252.

    Cyrillic words are runs of bytes above 127; in western text such bytes stand alone among plain letters.
    """
    file.seek(0)
    head = file.read(PIECE)
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    if b"\0" in head[:2000]:
        return "utf-16-le" if head[1:2000:2].count(0) >= head[:2000:2].count(0) else "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")()
    high = _Runs()
    piece = head
    sound = True
    while piece:
        if sound:
            try:
                decoder.decode(piece)
            except UnicodeDecodeError:
                sound = False
        high.count(piece)
        piece = file.read(PIECE)
    if sound:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            sound = False
    return "utf-8" if sound else "cp1251" if high.are_words else "cp1252"


class _Runs:
    """How many of the bytes above 127 have such a neighbour."""

    _KINDS: Final = bytes(0x20 if byte < 128 else 0x78 for byte in range(256))

    def __init__(self) -> None:
        self.high = 0
        self.alone = 0

    def count(self, piece: bytes) -> None:
        words = piece.translate(self._KINDS).split()
        self.high += sum(map(len, words))
        self.alone += sum(1 for word in words if len(word) == 1)

    @property
    def are_words(self) -> bool:
        return self.alone * 2 < self.high


@contextmanager
def opened(file: IO[bytes], encoding: str) -> Iterator[io.TextIOWrapper]:
    """The file as text from its beginning; it stays open."""
    file.seek(0)
    errors = "replace" if encoding.startswith("cp125") else "strict"
    text = io.TextIOWrapper(file, encoding=encoding, errors=errors, newline="")
    try:
        yield text
    finally:
        text.detach()


def dialect_of(file: IO[bytes], encoding: str) -> tuple[str, str]:
    """(separator, quote): the separator that splits the first lines into equally many cells, and most of them."""
    with opened(file, encoding) as text:
        sample = "".join(_lines(text))
    best = max(SEPARATORS, key=lambda separator: _fit(sample, separator))
    single, double = (sample.count(best + quote) + sample.count(quote + best) for quote in ("'", '"'))
    return best, "'" if single > sample.count("\n") and not double else '"'


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    for _ in range(SAMPLE_LINES):
        try:
            line = text.readline(CELL_LENGTH)
        except UnicodeError:
            return
        if not line:
            return
        yield line


def _fit(sample: str, separator: str) -> tuple[float, int]:
    """(share of the lines that have as many cells as the first, cells of the first)."""
    try:
        found = [len(cells) for cells in csv.reader(io.StringIO(sample), delimiter=separator) if cells]
    except csv.Error:
        return 0, 0
    if not found or found[0] == 1:
        return 0, 0
    return sum(1 for count in found if count == found[0]) / len(found), found[0]


def csv_rows(file: IO[bytes], written: Format) -> Generator[Row, None, None]:
    """Every row that is not blank, the headings too. Raises Invalid for what is no text or no CSV."""
    with opened(file, written.encoding) as text:
        reader = csv.reader(text, delimiter=written.separator, quotechar=written.quote)
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise Invalid(
                    f"file: line {max(1, reader.line_num)} is not CSV: {error}", field="file"
                ) from None
            except UnicodeError:
                raise Invalid(
                    f"file: behind line {reader.line_num} it is no text in {written.encoding}", field="file"
                ) from None
            if cells and (cells[0].strip() or any(map(str.strip, cells))):
                yield reader.line_num, cells
