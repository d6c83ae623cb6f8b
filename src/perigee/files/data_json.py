"""The JSON file of the preprocessor (contract 21.4), read value by value: memory does not grow with the file. Pure.

The parser is always asked for floats (`use_float`): in its other mode a number of thousands of digits kills the process.

`Key`: an object of lists by email. `Random`: an object with one key, whose list is drawn from.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import IO, Any, Final, NamedTuple

import ijson
import msgspec

from perigee.errors import Invalid
from perigee.files.store import Kind
from perigee.lib.addresses import normal_email
from perigee.lib.json_edge import MAX_DEPTH
from perigee.lib.text import clean_json

VALUE_LIMIT: Final = 100_000
"""Bytes of JSON for one person, or of one element."""

_BOM: Final = b"\xef\xbb\xbf"
_encode = msgspec.json.Encoder().encode


class Part(NamedTuple):
    """Values that are stored together: JSON texts by key, and what of the file was left out, with the reason."""

    values: dict[str, str]
    refused: list[str]


def parts(file: IO[bytes], kind: Kind, *, size: int) -> Iterator[Part]:
    """`size` entries at a time. Raises Invalid, maybe after some parts, for a file that is no such JSON."""
    try:
        first = _survey(file, kind)
        entries = _keyed(file) if kind == "Key" else _elements(file, first)
        while some := list(islice(entries, size)):
            values = {key: text for key, text in some if key is not None}
            yield Part(values, [reason for key, reason in some if key is None])
    except ijson.JSONError as error:
        reason = str(error).split("\n")[0]
        raise Invalid(f"link: the file is not valid JSON: {reason[:200]}", field="link") from None


Entry = tuple[str | None, str]
"""(key, JSON text), or (None, why there is no such)."""


def _keyed(file: IO[bytes]) -> Iterator[Entry]:
    _begin(file)
    for name, value in ijson.kvitems(file, "", use_float=True):
        key = normal_email(name.strip())
        if key is None:
            yield None, f"'{name[:80]}' is not a valid email"
        elif value is not None:
            text = _text(value)
            yield (None, f"the data of '{name[:80]}' {_TOO_MUCH}") if text is None else (key, text)


def _survey(file: IO[bytes], kind: Kind) -> str:
    """Reads the whole document without building anything of it, and returns the first key.

    Depth is judged here: the parsers that build values spend memory by its square.
    """
    _begin(file)
    depth, keys, first = 0, 0, ""
    for event, value in ijson.basic_parse(file, use_float=True):
        if event in ("start_map", "start_array"):
            depth += 1
            if depth > MAX_DEPTH:
                raise Invalid(f"link: the file is nested deeper than {MAX_DEPTH} levels", field="link")
        elif event in ("end_map", "end_array"):
            depth -= 1
        elif event == "map_key" and depth == 1:
            first = first if keys else value
            keys += 1
    if kind == "Random" and keys != 1:
        raise Invalid(f"link: the file has {keys} keys, 'Random' needs exactly one", field="link")
    return first


def _elements(file: IO[bytes], key: str) -> Iterator[Entry]:
    """Numbered from 0 without gaps."""
    _begin(file)
    number = 0
    for place, value in enumerate(ijson.items(file, f"{key}.item", use_float=True), 1):
        text = None if value is None else _text(value)
        if text is None:
            yield None, f"element {place} " + ("is null" if value is None else _TOO_MUCH)
        else:
            yield str(number), text
            number += 1


_TOO_MUCH: Final = f"is larger than {VALUE_LIMIT} bytes"


def _text(value: Any) -> str | None:
    """What a message gets, always a list: an element of a Random file that is one itself stands as it is."""
    encoded = _encode(clean_json(value if isinstance(value, list) else [value]))
    return None if len(encoded) > VALUE_LIMIT else encoded.decode()


def _begin(file: IO[bytes]) -> None:
    """To the first character of the document. Raises Invalid when it is not an object's."""
    file.seek(0)
    start = file.read(1000)
    skip = len(_BOM) if start.startswith(_BOM) else 0
    if not start[skip:].lstrip().startswith(b"{"):
        raise Invalid("link: the file is not a JSON object of lists by key", field="link")
    file.seek(skip)
