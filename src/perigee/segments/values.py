"""Texts, numbers and choices: operators with both readings. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import ClassVar

from perigee.errors import Invalid
from perigee.segments.comparisons import Comparison, Key, Scalar, Takes, ValueKind, check_text
from perigee.segments.moments import Moment
from perigee.segments.sql import Sql

MAX_TEXT = 1000
_BOUND = Decimal(10) ** 18


def fold(text: str) -> str:
    """Lower case letter by letter, as PostgreSQL's `lower` does it: no look at the letter's neighbours."""
    if text.isascii():
        return text.lower()
    return "".join(["i" if letter == "İ" else letter.lower() for letter in text])


class Text(ValueKind):
    """`folded`: upper and lower case are the same.

    `cut`: of how many characters an index holds the beginning (a key of a B-tree may have 2,704 bytes, and a longer one
    would fail the writer). Shorter operands are compared with the beginning, which comes to the same.
    """

    operators: ClassVar[Mapping[str, Takes]] = {
        "equals": "value",
        "one_of": "values",
        "contains": "value",
        "starts_with": "value",
        "ends_with": "value",
        "filled": "nothing",
        "empty": "nothing",
    }

    def __init__(self, *, folded: bool, cut: int = 0) -> None:
        self._folded = folded
        self._cut = cut

    def operand(self, given: Scalar, at: str) -> str:
        text = str(given)
        check_text(text, at, MAX_TEXT)
        return fold(text) if self._folded else text

    def sql(self, expression: str, comparison: Comparison, sql: Sql) -> str:
        if comparison.op == "empty":
            return f"({expression} is null or {expression} = '')"
        if comparison.op == "filled":
            return f"{expression} <> ''"
        key = self.key(expression, comparison)
        subject = key.expression if key else self._subject(expression)
        if comparison.op == "one_of":
            return f"{subject} = any({sql.bind(self.values(comparison), 'text[]')})"
        operand = sql.bind(self.value(comparison), "text")
        return {
            "equals": f"{subject} = {operand}",
            "contains": f"strpos({subject}, {operand}) > 0",
            "starts_with": f"starts_with({subject}, {operand})",
            "ends_with": f"right({subject}, length({operand})) = {operand}",
        }[comparison.op]

    def key(self, expression: str, comparison: Comparison) -> Key | None:
        if comparison.op not in ("equals", "one_of"):
            return None
        operands = self.values(comparison) if comparison.op == "one_of" else [self.value(comparison)]
        if any(len(operand) >= self._cut for operand in operands):
            return None
        return Key("btree", f"left({self._subject(expression)}, {self._cut})")

    def _subject(self, expression: str) -> str:
        return f"lower({expression})" if self._folded else expression

    def holds(self, value: str | None, comparison: Comparison, moment: Moment) -> bool:
        if comparison.op == "empty":
            return not value
        if comparison.op == "filled" or not value:
            return bool(value)
        subject = fold(value) if self._folded else value
        match comparison.op:
            case "one_of":
                return subject in self.values(comparison)
            case "equals":
                return bool(subject == self.value(comparison))
            case "contains":
                return bool(self.value(comparison) in subject)
            case "starts_with":
                return subject.startswith(self.value(comparison))
            case _:
                return subject.endswith(self.value(comparison))


class Number(ValueKind):
    """Exact decimal numbers."""

    operators: ClassVar[Mapping[str, Takes]] = {
        "equals": "value",
        "one_of": "values",
        "greater": "value",
        "at_least": "value",
        "less": "value",
        "at_most": "value",
        "between": "range",
        "filled": "nothing",
        "empty": "nothing",
    }
    _SIGNS: ClassVar[Mapping[str, str]] = {
        "equals": "=",
        "greater": ">",
        "at_least": ">=",
        "less": "<",
        "at_most": "<=",
    }

    def operand(self, given: Scalar, at: str) -> Decimal:
        try:
            number = Decimal(str(given))
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or abs(number) >= _BOUND or len(str(given)) > 40:
            raise Invalid.of(at, given, "must be a number below 10^18")
        return number

    def sql(self, expression: str, comparison: Comparison, sql: Sql) -> str:
        match comparison.op:
            case "empty":
                return f"{expression} is null"
            case "filled":
                return f"{expression} is not null"
            case "one_of":
                return f"{expression} = any({sql.bind(self.values(comparison), 'numeric[]')})"
            case "between":
                low, high = self.value(comparison), self.to(comparison)
                return f"{expression} between {sql.bind(low, 'numeric')} and {sql.bind(high, 'numeric')}"
        return f"{expression} {self._SIGNS[comparison.op]} {sql.bind(self.value(comparison), 'numeric')}"

    def key(self, expression: str, comparison: Comparison) -> Key | None:
        return None if comparison.op in ("empty", "filled") else Key("btree", expression)

    def holds(self, value: Decimal | int | None, comparison: Comparison, moment: Moment) -> bool:
        if comparison.op == "empty" or value is None:
            return comparison.op == "empty" and value is None
        match comparison.op:
            case "filled":
                return True
            case "one_of":
                return value in self.values(comparison)
            case "between":
                return bool(self.value(comparison) <= value <= self.to(comparison))
        operand: Decimal = self.value(comparison)
        return {
            "equals": value == operand,
            "greater": value > operand,
            "at_least": value >= operand,
            "less": value < operand,
            "at_most": value <= operand,
        }[comparison.op]


_NUMERIC = re.compile(r"-?[0-9]{1,30}([.][0-9]{1,30})?")


def as_number(text: str | None) -> Decimal | None:
    """A text that is a number, else None; the twin of `as_number_sql`."""
    return Decimal(text) if text is not None and _NUMERIC.fullmatch(text) else None


def as_number_sql(expression: str) -> str:
    """The number in a text, else null. A plain cast would fail the whole statement at the first other text."""
    return f"case when {expression} ~ '^{_NUMERIC.pattern}$' then ({expression})::numeric end"


class Choices(ValueKind):
    """A checkbox list: several values out of the field's list, a JSON array (or one JSON text)."""

    operators: ClassVar[Mapping[str, Takes]] = {
        "has": "value",
        "has_any": "values",
        "has_all": "values",
        "filled": "nothing",
        "empty": "nothing",
    }
    _EMPTY = "('null'::jsonb, '[]'::jsonb, '\"\"'::jsonb)"

    def operand(self, given: Scalar, at: str) -> str:
        return Text(folded=False).operand(given, at)

    def sql(self, expression: str, comparison: Comparison, sql: Sql) -> str:
        match comparison.op:
            case "empty":
                return f"({expression} is null or {expression} in {self._EMPTY})"
            case "filled":
                return f"{expression} not in {self._EMPTY}"
            case "has":
                return f"{expression} ? {sql.bind(self.value(comparison), 'text')}"
        sign = "?|" if comparison.op == "has_any" else "?&"
        return f"{expression} {sign} {sql.bind(self.values(comparison), 'text[]')}"

    def key(self, expression: str, comparison: Comparison) -> Key | None:
        return None if comparison.op in ("empty", "filled") else Key("gin", expression)

    def holds(self, value: str | Sequence[str] | None, comparison: Comparison, moment: Moment) -> bool:
        chosen = [value] if isinstance(value, str) and value else value or []
        match comparison.op:
            case "empty":
                return not chosen
            case "filled":
                return bool(chosen)
            case "has":
                return self.value(comparison) in chosen
            case "has_any":
                return not set(self.values(comparison)).isdisjoint(chosen)
            case _:
                return set(self.values(comparison)).issubset(chosen)
