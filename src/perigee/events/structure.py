"""Types with "validate parameters" on, and events that do not have what they ask for (contract 16, "Validation"). Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from typing import Any

from perigee.errors import Invalid
from perigee.events.types import EventParameter
from perigee.lib import json_edge
from perigee.lib.dates import parse_moment


class WrongStructure(Invalid):
    """The event lacks a required parameter. Carries what the type expects, in its order."""

    code = "event_structure"

    def __init__(self, expected: Sequence[EventParameter]) -> None:
        self.expected = list(expected)
        super().__init__(self.sentence(), field="params")

    def sentence(self) -> str:
        """The answer of v1 and v2, as text."""
        return (
            "The event should have the following params: "
            + json_edge.encode(
                [{"name": one.name, "required": one.required} for one in self.expected]
            ).decode()
        )

    def by_name(self) -> dict[str, dict[str, dict[str, bool]]]:
        """The answer of v3, as JSON."""
        return {"params": {one.name: {"required": one.required} for one in self.expected}}


def fits(expected: Sequence[EventParameter], params: Mapping[str, Any]) -> bool:
    """Every required parameter is there with a value, and those that are there are of their type; others may be there."""
    return all(
        not one.required if _is_missing(value := params.get(one.name)) else _IS[one.type](value)
        for one in expected
    )


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _is_number(value: Any) -> bool:
    """Of v1 everything is text (contract 16.1)."""
    if isinstance(value, str):
        return _NUMBER.fullmatch(value.strip()) is not None
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_json(kind: type) -> Callable[[Any], bool]:
    """Itself, or as JSON text, which is how v1 sends what is nested."""

    def check(value: Any) -> bool:
        if isinstance(value, str):
            try:
                value = json_edge.decode(value.encode())
            except Invalid:
                return False
        return isinstance(value, kind)

    return check


_NUMBER = re.compile(r"-?\d{1,30}([.]\d{1,30})?", re.ASCII)
_IS: Mapping[str, Callable[[Any], bool]] = {
    "any": lambda _: True,
    "text": lambda value: isinstance(value, str),
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool) or value in ("true", "false"),
    "date": lambda value: isinstance(value, str) and parse_moment(value, UTC) is not None,
    "array": _is_json(list),
    "object": _is_json(dict),
}
