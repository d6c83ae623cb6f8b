"""JSON Lines: one object a line, its members are the columns."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from itertools import islice
from typing import IO, Any, Final

import msgspec

from perigee.errors import Invalid
from perigee.imports.types import Row
from perigee.lib.text import clean

LINE_LENGTH: Final = 4 << 20
LOOKED_AT: Final = 1000
"""Lines whose members are the columns; a member that comes later is left out."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


def is_json_lines(file: IO[bytes]) -> bool:
    file.seek(0)
    return file.read(200).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")


def members(file: IO[bytes]) -> list[str]:
    """In the order in which they appear; without those whose names hold what no text of ours has (NUL)."""
    found: dict[str, None] = {}
    for _, given in islice(_objects(file), LOOKED_AT):
        if not isinstance(given, Invalid):
            found.update(dict.fromkeys(name for name in given if clean(name) == name))
    return list(found)


def json_rows(file: IO[bytes], headings: Sequence[str]) -> Generator[Row, None, None]:
    """A line that is no object is refused alone. Lists and objects stay JSON text."""
    for number, given in _objects(file):
        yield number, given if isinstance(given, Invalid) else [_text(given.get(name)) for name in headings]


def _objects(file: IO[bytes]) -> Iterator[tuple[int, dict[str, Any] | Invalid]]:
    file.seek(0)
    number = 0
    while line := file.readline(LINE_LENGTH + 1):
        number += 1
        if len(line) > LINE_LENGTH:
            raise Invalid(f"file: line {number} is longer than {LINE_LENGTH} bytes", field="file")
        line = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        if not line.strip():
            continue
        try:
            yield number, _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            yield number, Invalid(f"is not a JSON object: {error}")
        except RecursionError:
            yield number, Invalid("is not a JSON object: it is nested too deeply")


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return _encode(value).decode()
