"""One person's evaluation: variables, the budget, and what templates see as `$data`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from perigee.messages.engine import Merge, Moment
from perigee.messages.limits import OUTPUT_BYTES, Budget, LimitReached, weight
from perigee.messages.opaque import URL_NAMES
from perigee.messages.person import Names, Person, text_of
from perigee.messages.velocity.values import Authored

MERGE_NAME = re.compile(r"pg_merge_(\d{1,6})")


class Tool:
    """One of the objects beside `$data`; what it can do is in `methods`."""

    def __init__(self, name: str) -> None:
        self.name = name


MATH, NUMBER, DATE = Tool("mathTool"), Tool("numberTool"), Tool("dateTool")
TOOLS = {tool.name: tool for tool in (MATH, NUMBER, DATE)}


class Data(Mapping[str, Any]):
    """`$data`: what came with the event or the call, and beside it the contact under the names of merge tags."""

    __slots__ = ("names", "person")

    def __init__(self, person: Person, names: Names) -> None:
        self.person = person
        self.names = names

    def __getitem__(self, name: str) -> Any:
        if (found := self.person.data.get(name)) is not None:
            return found
        get = self.names.merge_tag(name, barred=False)
        return get(self.person) if get else None

    def __iter__(self) -> Iterator[str]:
        return iter(self.person.data)

    def __len__(self) -> int:
        return len(self.person.data)


class Run:
    """What the blocks of one source share. `line`: of the code that runs now, for errors."""

    __slots__ = (
        "budget",
        "data",
        "held",
        "html",
        "line",
        "merges",
        "missing",
        "moment",
        "output_left",
        "person",
        "variables",
    )

    def __init__(
        self, person: Person, names: Names, moment: Moment, merges: Sequence[Merge], *, html: bool
    ) -> None:
        self.person = person
        self.moment = moment
        self.html = html
        self.line = 1
        self.missing: list[str] = []
        self.variables: dict[str, object] = {}
        self.budget = Budget()
        self.held = 0
        self.output_left = OUTPUT_BYTES
        self.data = Data(person, names)
        self.merges = merges

    def look_up(self, name: str) -> object:
        self.budget.charge(1)
        if name in self.variables:
            return self.variables[name]
        if name == "data":
            return self.data
        if name in URL_NAMES:
            return self.moment.urls(name)
        if match := MERGE_NAME.fullmatch(name):
            return self._merge(int(match[1]))
        return TOOLS.get(name)

    def _merge(self, number: int) -> object:
        if number >= len(self.merges):
            return None
        merge = self.merges[number]
        if text := text_of(merge.get(self.person)):
            return text
        fallback = merge.fallback_in(html=self.html)
        return None if fallback is None else Authored.of((fallback, True))

    def assign(self, name: str, value: object) -> None:
        size = weight(value)
        self.held += size
        self.budget.charge(1 + size // 100)
        if self.held > OUTPUT_BYTES:
            raise LimitReached("the template's variables are too large")
        self.variables[name] = value

    def print(self, out: list[str], text: str) -> None:
        self.output_left -= len(text)
        if self.output_left < 0:
            raise LimitReached(f"the template prints more than {OUTPUT_BYTES} characters")
        out.append(text)

    def decoded(self, text: str) -> object:
        """Text that is a JSON document, as old events carry their lists, as the data it stands for."""
        self.budget.charge(1 + len(text) // 100)
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return None
        weight(value)
        return value
