"""Merge tags: `%FIRSTNAME|friend%`, `%EMAIL%`, `%PERSONAL.BONUS|0%` (TRACKING 8.1; names in `messages.person`).

They are not a language: one pass over what is text to the template language turns each into a value of it. So a
merge tag works inside a loop or a captured block, and a value that looks like a merge tag stays a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from perigee.messages.engine import Merge
from perigee.messages.person import Names

# A root of three capitals or more keeps percent-encoded bytes (%D0%9F, %E2.html%20) and CSS (100%;x:50%) out.
_TAG = re.compile(r"%([A-Z][A-Z0-9_]{2,}(?:\.[A-Za-z0-9_-]+)?)(?:\|([^%\r\n<>]*))?%")
_DECLARATION = re.compile(r"<!--\s*%[A-Z][A-Z0-9_]{2,}(?:\.[A-Za-z0-9_-]+)?(?:\|[^%\r\n<>]*)?%\s*-->")


def without_declarations(html: str) -> str:
    """Comments such as `<!--%PERSONAL.CITY%-->` only declare a field; they must not carry its value out."""
    return _DECLARATION.sub("", html)


def replace(text: str, names: Names, *, html: bool, use: Callable[[Merge], str]) -> str:
    """Every merge tag of `text` replaced by what `use` gives for it."""

    def one(match: re.Match[str]) -> str:
        name, fallback = match[1], match[2]
        get = names.merge_tag(name, barred=fallback is not None)
        return match[0] if get is None else use(Merge(name, get, fallback, html))

    return _TAG.sub(one, text) if "%" in text else text
