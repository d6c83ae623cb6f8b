"""Comparisons of one value: operators and their operands, checked here, read in `values` and `dates`. Pure.

Every operator is a yes to something; its no is the tree's `not`. A missing value answers no to all of them but
`empty`, so a `not` around any of the others is a yes for it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, NamedTuple

import msgspec

from perigee.errors import Invalid
from perigee.lib.text import clean_lines
from perigee.segments.moments import Moment
from perigee.segments.sql import Sql

MAX_VALUES = 1000
MAX_DAYS = 36_500
MAX_HOURS = 8_784

Scalar = str | int | float


class Comparison(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An operator with its operands; which those are says the operator's `Takes`."""

    op: str
    value: Scalar | None = None
    to: Scalar | None = None
    values: tuple[Scalar, ...] | None = None
    days: int | None = None
    hours: int | None = None


Takes = Literal["nothing", "value", "range", "values", "days", "shift", "hours"]
"""`days` is 0 or more; `shift` may be before today."""

_MEMBERS: dict[Takes, tuple[str, ...]] = {
    "nothing": (),
    "value": ("value",),
    "range": ("value", "to"),
    "values": ("values",),
    "days": ("days",),
    "shift": ("days",),
    "hours": ("hours",),
}
_LIMITS = {"days": (0, MAX_DAYS), "shift": (-MAX_DAYS, MAX_DAYS), "hours": (1, MAX_HOURS)}


class Key(NamedTuple):
    """What an index must hold so that a comparison is looked up in it and not read out of every row."""

    method: Literal["btree", "gin"]
    expression: str
    collation: str = ""


class ValueKind(ABC):
    """A kind of value: its operators, the rule of an operand, and both readings of each operator."""

    operators: ClassVar[Mapping[str, Takes]]

    @abstractmethod
    def operand(self, given: Scalar, at: str) -> Any:
        """The operand as it is compared. Raises Invalid naming `at`, the value and the rule."""

    @abstractmethod
    def sql(self, expression: str, comparison: Comparison, sql: Sql) -> str:
        """True for a row whose expression holds; false or null for the others."""

    @abstractmethod
    def holds(self, value: Any, comparison: Comparison, moment: Moment) -> bool:
        """The same for one value; None is a missing one."""

    def key(self, expression: str, comparison: Comparison) -> Key | None:
        """The key of an index that serves `sql` of the same expression and comparison; None where none would."""
        return None

    def check(self, comparison: Comparison, at: str) -> None:
        """Raises Invalid naming the member under `at`, its value and the rule."""
        takes = self.operators.get(comparison.op)
        if takes is None:
            raise Invalid.of(f"{at}.op", comparison.op, "must be one of " + ", ".join(self.operators))
        _check_members(comparison, takes, at)
        if takes in ("value", "range"):
            low = self.operand(_given(comparison.value), f"{at}.value")
            if takes == "range" and self.operand(_given(comparison.to), f"{at}.to") < low:
                raise Invalid.of(f"{at}.to", comparison.to, f"must not be below '{comparison.value}'")
        elif takes == "values":
            self._check_values(comparison.values or (), f"{at}.values")

    def _check_values(self, values: tuple[Scalar, ...], at: str) -> None:
        if not 1 <= len(values) <= MAX_VALUES:
            raise Invalid(f"{at}: must hold 1 to {MAX_VALUES} values, has {len(values)}", field=at)
        for n, value in enumerate(values):
            self.operand(value, f"{at}[{n}]")

    def value(self, comparison: Comparison) -> Any:
        """The operand of a checked comparison."""
        return self.operand(_given(comparison.value), "value")

    def to(self, comparison: Comparison) -> Any:
        return self.operand(_given(comparison.to), "to")

    def values(self, comparison: Comparison) -> list[Any]:
        return [self.operand(value, "values") for value in comparison.values or ()]


def check_text(text: str, at: str, most: int) -> None:
    """Raises Invalid unless it is a text that a stored value could equal: no control characters, no surrogates."""
    if not 1 <= len(text) <= most or clean_lines(text) != text:
        raise Invalid.of(
            at, clean_lines(text), f"must be a text of 1 to {most} characters, without control characters"
        )


def _given(operand: Scalar | None) -> Scalar:
    assert operand is not None  # `_check_members` was here before
    return operand


def _check_members(comparison: Comparison, takes: Takes, at: str) -> None:
    expected = _MEMBERS[takes]
    for name in ("value", "to", "values", "days", "hours"):
        given = getattr(comparison, name)
        if given is None and name in expected:
            raise Invalid(f"{at}.{name}: must be given with '{comparison.op}'", field=f"{at}.{name}")
        if given is not None and name not in expected:
            raise Invalid.of(f"{at}.{name}", given, f"is not taken by '{comparison.op}'")
    if takes in _LIMITS:
        low, high = _LIMITS[takes]
        number = getattr(comparison, expected[0])
        if not low <= number <= high:
            raise Invalid.of(f"{at}.{expected[0]}", number, f"must be a whole number from {low} to {high}")
