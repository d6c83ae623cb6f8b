"""What compiled conditions are written with: names of ours as text, everything else as a bound value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from perigee.segments.moments import Instants
from perigee.segments.world import World

Cast = Literal["text", "text[]", "numeric", "numeric[]", "bigint", "bigint[]", "timestamptz"]


class Sql:
    """Gathers the bound values of one statement; hands out placeholders and aliases.

    `prefix` begins the names of the values, for a statement that is put together of several compiled parts.
    """

    def __init__(self, world: World, prefix: str = "p") -> None:
        self.world = world
        self._prefix = prefix
        self.values: dict[str, Any] = {"org_id": world.org_id}
        self._aliases = 0
        self._candidates = ""

    org = "%(org_id)s::bigint"

    def bind(self, value: Any, cast: Cast) -> str:
        name = f"{self._prefix}{len(self.values)}"
        self.values[name] = value
        return f"%({name})s::{cast}"

    def alias(self) -> str:
        """A new name for one more reading of a table."""
        self._aliases += 1
        return f"t{self._aliases}"

    def among(self, column: str) -> list[str]:
        """That a column of contact ids is among the world's candidates: no or one condition.

        A relation and no `= any(array)`: the inner side of a nested loop would search the array anew each time.
        """
        if self.world.candidates is None:
            return []
        if not self._candidates:
            self._candidates = self.bind(list(self.world.candidates), "bigint[]")
        return [f"{column} in (select unnest({self._candidates}))"]

    def within(self, expression: str, window: Instants) -> list[str]:
        """That a timestamptz lies in a window: no, one or two conditions."""
        found = []
        if window.start is not None:
            found.append(f"{expression} >= {self.bind(window.start, 'timestamptz')}")
        if window.end is not None:
            found.append(f"{expression} < {self.bind(window.end, 'timestamptz')}")
        return found


def both(conditions: Iterable[str]) -> str:
    """All of them; true when there are none."""
    return " and ".join(conditions) or "true"
