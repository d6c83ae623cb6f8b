"""In which language a message is written whose creator did not say: the old wire has no member for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

_VELOCITY = re.compile(r"\$!?\{?(?:data|dateTool|numberTool|mathTool)\b|\#\{?(?:if|foreach|set)\}?[ \t]*\(")
_LIQUID = re.compile(r"\{\{|\{%")


def engine_for(texts: Iterable[str], current: str = "liquid") -> str:
    """`velocity` for texts with Velocity's constructs and none of Liquid, `liquid` the other way round.

    Texts with neither, or with both, stay what the message is (`current`).
    """
    velocity = liquid = False
    for text in texts:
        velocity = velocity or _VELOCITY.search(text) is not None
        liquid = liquid or _LIQUID.search(text) is not None
    if velocity == liquid:
        return current
    return "velocity" if velocity else "liquid"


def texts_in(value: object) -> Iterator[str]:
    """Every text in the members of a message, translations and buttons included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from texts_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_in(item)
