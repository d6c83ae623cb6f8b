"""Types with "validate parameters" on, and events that do not have what they ask for (contract 16, "Validation"). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from perigee.errors import Invalid
from perigee.events.types import EventParameter
from perigee.lib import json_edge


class WrongStructure(Invalid):
    """The event lacks a required parameter. Carries what the type expects, in its order."""

    code = "event_structure"

    def __init__(self, expected: Sequence[EventParameter]) -> None:
        self.expected = list(expected)
        super().__init__(self.sentence(), field="params")

    def sentence(self) -> str:
        """The answer of v1 and v2, as text."""
        return "The event should have the following params: " + json_edge.encode(self.expected).decode()

    def by_name(self) -> dict[str, dict[str, dict[str, bool]]]:
        """The answer of v3, as JSON."""
        return {"params": {one.name: {"required": one.required} for one in self.expected}}


def fits(expected: Sequence[EventParameter], params: Mapping[str, Any]) -> bool:
    """Every required parameter is there with a value; others may be there too."""
    return all(not _is_missing(params.get(one.name)) for one in expected if one.required)


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
