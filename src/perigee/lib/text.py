"""Cleaning of text on its way in (reliability 27, protocols 3.1 and 3.3; blank and null: contract section 3).

Every stored string passes through here once. After that it holds no NUL, no other C0 or C1 control character
(tab, CR and LF only where lines are meant) and no lone surrogate, so the database, JSON answers, message
headers and packed columns (`db.columns`) can carry it. Letters are never changed: no Unicode normalisation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

REPLACEMENT = "\ufffd"

_BREAKS = re.compile(r"[\t\n\x0b\x0c\r\x85\u2028\u2029]+")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CONTROLS_IN_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_UNSAFE_IN_HEADER = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_DIRECTIONS = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """One line of text: a run of tabs and line breaks becomes one space, other controls vanish."""
    if text.isprintable():  # one C loop; true for nearly every value that arrives
        return text
    text = _BREAKS.sub(" ", text)
    return _SURROGATES.sub(REPLACEMENT, _CONTROLS.sub("", text))


def clean_lines(text: str) -> str:
    """Text of several lines: tab, CR and LF stay."""
    if text.isprintable():
        return text
    return _SURROGATES.sub(REPLACEMENT, _CONTROLS_IN_LINES.sub("", text))


def clean_or_none(text: str | None) -> str | None:
    """`clean`, trimmed; None for null, an empty string and blanks (clients send a single space for "empty")."""
    if text is None:
        return None
    return clean(text).strip() or None


def clean_lines_or_none(text: str | None) -> str | None:
    """`clean_lines`, trimmed at both ends; blank is None."""
    if text is None:
        return None
    return clean_lines(text).strip() or None


def clean_column(values: Iterable[str | None]) -> list[str | None]:
    """`clean_or_none` over a whole column."""
    return [
        (value.strip() if value.isprintable() else clean(value).strip()) or None if value else None
        for value in values
    ]


def clean_json(value: object) -> object:
    """A decoded JSON value with every string in it, keys included, cleaned as `clean_lines` does.

    Depth is bounded by `json_edge.decode`. Two keys that become equal: the later one wins.
    """
    if isinstance(value, str):
        return clean_lines(value)
    if isinstance(value, dict):
        return {clean_lines(key): clean_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [clean_json(item) for item in value]
    return value


def header_safe(text: str) -> str:
    """A value for a header of a message: one trimmed line without CR, LF, U+2028, U+2029 or any control."""
    return clean(text).strip()


def is_header_safe(text: str) -> bool:
    """Whether text may stand in a header as it is. Templates and settings are refused, not repaired."""
    return text.isprintable() or _UNSAFE_IN_HEADER.search(text) is None


def without_direction_marks(text: str) -> str:
    """Text without bidirectional controls, which can make a line read as another (for agents and logs)."""
    return text if text.isascii() else _DIRECTIONS.sub("", text)


def shorten(text: str, length: int) -> str:
    """At most `length` characters, the last of them `…` when something was cut."""
    return text if len(text) <= length else text[: length - 1] + "…"
