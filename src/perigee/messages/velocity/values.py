"""Values as templates compare, count and print them (Velocity 1.7's rules where it has one)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from perigee.messages.engine import Place, write
from perigee.messages.limits import ITEMS, LimitReached, weight
from perigee.messages.person import text_of

Number = int | float


class Fault(Exception):
    """The data do not fit the template, so that the message is not sent; the text says why."""


class Authored(str):
    """Text with what the author of the template wrote in it: that is neither escaped nor encoded, the rest is.

    `parts`: (text, whether it is the author's), in order.
    """

    __slots__ = ("parts",)
    parts: tuple[tuple[str, bool], ...]

    @classmethod
    def of(cls, *parts: tuple[str, bool]) -> Authored:
        made = cls("".join(text for text, _ in parts))
        made.parts = parts
        return made


def parts_of(value: object) -> tuple[tuple[str, bool], ...]:
    return value.parts if isinstance(value, Authored) else ((text_of(value), False),)


def written(value: object, place: Place) -> str:
    """A value as its place needs it, but for what the author wrote himself."""
    if isinstance(value, Authored) and place in (Place.HTML, Place.URL):
        return "".join(text if own else write(text, place) for text, own in value.parts)
    return write(text_of(value), place)


def is_number(value: object) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def number(value: object) -> Number | None:
    """A number, also one written as text; None for everything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, str):
        return _parsed(value.strip())
    return None


def _parsed(text: str) -> Number | None:
    if len(text) > 30 or not text.isascii() or "_" in text:
        return None
    try:
        return int(text)
    except ValueError:
        pass
    try:
        parsed = float(text)
    except ValueError:
        return None
    return parsed if abs(parsed) < 1e300 else None  # neither NaN nor infinity


def equal(left: object, right: object) -> bool:
    """Numbers by value; different kinds by how they read, so that `1 == '1'`; nothing only equals nothing."""
    if left is None or right is None:
        return left is right
    if is_number(left) and is_number(right):
        return left == right
    if isinstance(left, (list, Mapping)) or isinstance(right, (list, Mapping)):
        return left == right
    return text_of(left) == text_of(right)


def true(value: object) -> bool:
    """Only nothing and `false` are false; an empty text and 0 are true."""
    return value is not None and value is not False


def index_of(value: object, length: int) -> int:
    """Raises Fault for an index that is none, or is beyond the end."""
    index = number(value)
    if not isinstance(index, int):
        raise Fault(f"{text_of(value)[:40]!r} is not an index")
    if not 0 <= index < length:
        raise Fault(f"index {index} is beyond the end, there are {length}")
    return index


def span(first: object, last: object) -> list[int]:
    """`[first..last]`, downwards too. Raises LimitReached before a long one is made."""
    start, stop = number(first), number(last)
    if not isinstance(start, int) or not isinstance(stop, int):
        raise Fault("a range needs whole numbers")
    if abs(stop - start) >= ITEMS:
        raise LimitReached(f"a range has more than {ITEMS} elements")
    return list(range(start, stop + 1) if start <= stop else range(start, stop - 1, -1))


def items_of(value: object) -> Sequence[Any]:
    """What a loop walks over: elements, of an object its values, of anything else nothing."""
    if isinstance(value, Mapping):
        return list(value.values())
    return value if isinstance(value, list) else []


def bounded(value: object) -> object:
    """The value itself. Raises LimitReached for a text or a number that is too large."""
    weight(value)
    return value
