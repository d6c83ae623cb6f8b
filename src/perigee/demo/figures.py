"""The figures of the demo: what was expected, what was found, whether they agree."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple


class Figure(NamedTuple):
    part: str
    """The part of the story that it is about."""
    name: str
    expected: Any
    found: Any

    @property
    def ok(self) -> bool:
        return bool(self.expected == self.found)


class Figures:
    """All figures in the order in which they were found."""

    def __init__(self) -> None:
        self._figures: list[Figure] = []

    def __iter__(self) -> Iterator[Figure]:
        return iter(self._figures)

    def check(self, part: str, name: str, expected: Any, found: Any) -> None:
        """Keeps a figure; one that is off stops nothing, it shows at the end and in the exit code."""
        self._figures.append(Figure(part, name, expected, found))

    @property
    def wrong(self) -> list[Figure]:
        return [figure for figure in self._figures if not figure.ok]

    @property
    def ok(self) -> bool:
        """False also when nothing was checked."""
        return bool(self._figures) and not self.wrong


def shown(value: Any) -> str:
    """A figure as people read it: thousands apart, reasons with their counts."""
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case Decimal():
            return f"{value:,.2f}"
        case dict():
            return ", ".join(f"{name} {shown(count)}" for name, count in sorted(value.items())) or "nobody"
    return str(value)
