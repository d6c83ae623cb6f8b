"""Request templates: words in braces are replaced, and the body's kind decides how the result is escaped.

A template is data: it names values and computes nothing. What it makes of an unknown word is an error when the provider
is set up, never when a message goes out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from perigee.lib.text import header_safe

_WORD: Final = re.compile(r"\{([a-z_]+)\}")
_GONE: Final = object()


def words(template: object) -> Iterator[str]:
    """The names of values in a template of any shape."""
    match template:
        case str():
            yield from _WORD.findall(template)
        case dict():
            for member in template.values():
                yield from words(member)
        case list():
            for member in template:
                yield from words(member)


def fill_url(template: str, values: Mapping[str, str]) -> str:
    """A value at the beginning stands for the server; every other one is a part of the path or the query."""
    return _WORD.sub(
        lambda found: values[found[1]] if found.start() == 0 else quote(values[found[1]], safe=""), template
    )


def fill_header(template: str, values: Mapping[str, str]) -> str:
    return header_safe(_WORD.sub(lambda found: values[found[1]], template))


def fill_body(template: object, values: Mapping[str, str]) -> Any:
    """The same shape with texts. A text that was nothing but values, all empty, is left out, and so is what holds
    nothing else."""
    filled = _fill(template, values)
    return {} if filled is _GONE else filled


def _fill(template: object, values: Mapping[str, str]) -> object:
    match template:
        case str():
            text = _WORD.sub(lambda found: values[found[1]], template)
            return _GONE if not text and template else text
        case dict():
            members = {
                name: filled for name, one in template.items() if (filled := _fill(one, values)) is not _GONE
            }
            return members or (_GONE if template else members)
        case list():
            items = [filled for one in template if (filled := _fill(one, values)) is not _GONE]
            return items or (_GONE if template else items)
    return template


def encode(kind: str, body: Any) -> bytes:
    """`kind`: json or form."""
    if kind == "json":
        return msgspec.json.encode(body)
    return urlencode(body).encode()


def find(data: object, path: str) -> str | None:
    """The text at a path like `results.0.status.groupName`; None where there is nothing, or no text or number."""
    for step in filter(None, path.split(".")):
        if isinstance(data, dict):
            data = data.get(step)
        elif isinstance(data, list) and step.isdecimal() and int(step) < len(data):
            data = data[int(step)]
        else:
            return None
    match data:
        case bool():
            return str(data).lower()
        case str() | int() | float():
            return str(data)
    return None


def first(data: object, paths: list[str]) -> str | None:
    return next((found for path in paths if (found := find(data, path))), None)
