"""Tags of messages and segments: short words that people sort things by (product 1). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from perigee.errors import Invalid
from perigee.lib.text import clean_or_none

LENGTH: Final = 50
MOST: Final = 100
"""Tags of one thing."""

_SPECIAL = re.compile(r"[^\w .\-]")


def clean_tags(field: str, given: Iterable[str]) -> list[str]:
    """In their order, without repeats. Raises Invalid: too long, blank, or with special signs."""
    tags: list[str] = []
    for place, value in enumerate(given):
        tag = clean_or_none(value)
        if tag is None or len(tag) > LENGTH:
            raise Invalid.of(f"{field}[{place}]", value, f"must have 1 to {LENGTH} characters")
        if _SPECIAL.search(tag):
            raise Invalid.of(f"{field}[{place}]", tag, "must be letters, digits, spaces, dots, - and _")
        tags.append(tag)
    tags = list(dict.fromkeys(tags))
    if len(tags) > MOST:
        raise Invalid.of(field, len(tags), f"must not be more than {MOST}")
    return tags
