"""Expressions: what stands in conditions, assignments and arguments, and the references that print a value."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from perigee.messages.engine import Place
from perigee.messages.limits import VALUE_WEIGHT, LimitReached
from perigee.messages.person import text_of
from perigee.messages.velocity.methods import call
from perigee.messages.velocity.run import Data, Run
from perigee.messages.velocity.tools import remainder
from perigee.messages.velocity.values import (
    Authored,
    Number,
    bounded,
    equal,
    index_of,
    number,
    parts_of,
    span,
    true,
    written,
)


class Expression(Protocol):
    def evaluate(self, run: Run) -> object:
        """None: nothing. Raises Fault, LimitReached."""
        ...


class Step(Protocol):
    def apply(self, value: object, run: Run) -> object: ...


@dataclass(frozen=True, slots=True)
class Member:
    """`.name`: of an object the member; else, as in Velocity, only `empty` has a meaning."""

    name: str

    def apply(self, value: object, run: Run) -> object:
        run.budget.charge(1)
        value = _data(value, run)
        if isinstance(value, Mapping) and (found := value.get(self.name)) is not None:
            return found
        return not value if self.name == "empty" and isinstance(value, (str, list, Mapping)) else None


@dataclass(frozen=True, slots=True)
class Call:
    """`.name(arguments)`."""

    name: str
    arguments: tuple[Expression, ...]

    def apply(self, value: object, run: Run) -> object:
        return call(run, value, self.name, [argument.evaluate(run) for argument in self.arguments])


@dataclass(frozen=True, slots=True)
class Index:
    """`[key]`, also with a negative index never from the end."""

    key: Expression

    def apply(self, value: object, run: Run) -> object:
        run.budget.charge(1)
        key, value = self.key.evaluate(run), _data(value, run)
        if isinstance(value, list):
            return value[index_of(key, len(value))]
        return value.get(text_of(key)) if isinstance(value, Mapping) else None


def _data(value: object, run: Run) -> object:
    """The data that JSON text stands for; everything else as it is."""
    return run.decoded(value) if isinstance(value, str) and value[:1] in ("[", "{") else value


@dataclass(frozen=True, slots=True)
class Reference:
    """`$!data.get('x')`. `source`: as it stands in the template. `place`: where it is written, None: as text or
    HTML, whatever the source is."""

    name: str
    steps: tuple[Step, ...]
    quiet: bool
    source: str
    line: int
    place: Place | None = None

    def evaluate(self, run: Run) -> object:
        value = run.look_up(self.name)
        for step in self.steps:
            if value is None:
                return None
            value = step.apply(value, run)
        return value

    def printed(self, run: Run) -> object:
        """The value, or what stands for a missing one: the code itself, and nothing where it is quiet."""
        value = self.evaluate(run)
        if value is not None and not isinstance(value, (Mapping, list)):
            return value
        if value is None:
            run.missing.append(self.source)
            return "" if self.quiet else self.source
        return "" if isinstance(value, Data) else text_of(bounded(value))

    def render(self, run: Run, out: list[str]) -> None:
        run.line = self.line
        run.budget.charge(1)
        place = self.place or (Place.HTML if run.html else Place.TEXT)
        run.print(out, written(self.printed(run), place))


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, true, false, null or a text of the author."""

    value: object

    def evaluate(self, run: Run) -> object:
        run.budget.charge(1)
        return self.value


@dataclass(frozen=True, slots=True)
class Interpolated:
    """`"Dear $name"`: the author's text with values in it."""

    pieces: tuple[str | Reference, ...]

    def evaluate(self, run: Run) -> object:
        parts: list[tuple[str, bool]] = []
        length = 0
        for piece in self.pieces:
            run.budget.charge(1)
            found = ((piece, True),) if isinstance(piece, str) else parts_of(piece.printed(run))
            length += sum(len(text) for text, _ in found)
            parts += found
            if length > VALUE_WEIGHT or len(parts) > VALUE_WEIGHT:
                raise LimitReached(f"a text is longer than {VALUE_WEIGHT} characters")
        run.budget.charge(length // 100)
        return Authored.of(*parts)


@dataclass(frozen=True, slots=True)
class List:
    items: tuple[Expression, ...]

    def evaluate(self, run: Run) -> object:
        run.budget.charge(1)
        return [item.evaluate(run) for item in self.items]


@dataclass(frozen=True, slots=True)
class Range:
    first: Expression
    last: Expression

    def evaluate(self, run: Run) -> object:
        made = span(self.first.evaluate(run), self.last.evaluate(run))
        run.budget.charge(1 + len(made) // 10)
        return made


@dataclass(frozen=True, slots=True)
class Object:
    members: tuple[tuple[Expression, Expression], ...]

    def evaluate(self, run: Run) -> object:
        run.budget.charge(1)
        return {text_of(key.evaluate(run)): value.evaluate(run) for key, value in self.members}


@dataclass(frozen=True, slots=True)
class Not:
    operand: Expression

    def evaluate(self, run: Run) -> object:
        run.budget.charge(1)
        return not true(self.operand.evaluate(run))


@dataclass(frozen=True, slots=True)
class Negative:
    operand: Expression

    def evaluate(self, run: Run) -> object:
        value = number(self.operand.evaluate(run))
        return None if value is None else -value


@dataclass(frozen=True, slots=True)
class Binary:
    """`name` is the operator's one spelling out of OPERATORS."""

    name: str
    left: Expression
    right: Expression

    def evaluate(self, run: Run) -> object:
        run.budget.charge(1)
        left = self.left.evaluate(run)
        if self.name == "and":
            return true(left) and true(self.right.evaluate(run))
        if self.name == "or":
            return true(left) or true(self.right.evaluate(run))
        right = self.right.evaluate(run)
        if self.name == "==":
            return equal(left, right)
        if self.name == "!=":
            return not equal(left, right)
        if self.name == "+" and isinstance(left, str) | isinstance(right, str):
            return _joined(left, right, run)
        first, second = number(left), number(right)
        if first is None or second is None:
            return False if self.name in COMPARE else None
        return bounded(CALCULATE[self.name](first, second))


def _joined(left: object, right: object, run: Run) -> object:
    parts = (*parts_of(left), *parts_of(right))
    run.budget.charge(1 + len(parts) + sum(len(text) for text, _ in parts) // 100)
    return bounded(Authored.of(*parts))


def _quotient(left: Number, right: Number) -> Number | None:
    """Java's: of whole numbers the whole part, towards zero; nothing when divided by zero."""
    if right == 0:
        return None
    if isinstance(left, int) and isinstance(right, int):
        whole = abs(left) // abs(right)
        return whole if (left < 0) == (right < 0) else -whole
    return left / right


COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
CALCULATE: Mapping[str, Callable[[Number, Number], object]] = {
    **COMPARE,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _quotient,
    "%": remainder,
}
