"""Hypothesis strategies of comparisons: what all strategies of conditions are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from perigee.segments.comparisons import Comparison, Takes, ValueKind
from perigee.segments.dates import Period
from perigee.segments.leaves.counting import COUNT
from perigee.segments.leaves.message_rates import _PERCENT
from perigee.segments.leaves.messages import _LINK, _REASON
from perigee.segments.tests.population import CHOICES, LINKS, REASONS, TEXTS, days
from perigee.segments.values import Choices, Number, Text

NUMBERS: Sequence[Any] = (0, 1, 2, 3, 5, 10, -5, 0.1, 1.5, "33.3333", "20.0001", 110, 2147483647)


def operands(kind: ValueKind) -> st.SearchStrategy[Any]:
    if kind is COUNT:
        return st.integers(0, 5)
    if kind is _PERCENT:
        return st.sampled_from([0, "33.3333", 50, 100])
    if kind is _LINK:
        return st.sampled_from([*LINKS, "shop", "tea", "Tea"])
    if kind is _REASON:
        return st.sampled_from([*REASONS, "UNSUBSCRIBED", "t"])
    if isinstance(kind, Number):
        return st.sampled_from(NUMBERS)
    if isinstance(kind, Text | Choices):
        texts = [*TEXTS, *CHOICES[:-1], "i", "ky", "Ї", "ext120", "380500000060", "api", "5", "true"]
        return st.sampled_from(texts) | st.text(
            st.characters(exclude_categories=["C"], codec="utf-8"), min_size=1, max_size=2
        )
    return st.sampled_from(days())


@st.composite
def comparisons(draw: st.DrawFn, kind: ValueKind) -> Comparison:
    op = draw(st.sampled_from(sorted(kind.operators)))
    takes: Takes = kind.operators[op]
    match takes:
        case "value":
            return Comparison(op, value=draw(operands(kind)))
        case "range":
            pair = [draw(operands(kind)) for _ in range(2)]
            low, high = sorted(pair, key=lambda value: kind.operand(value, ""))
            return Comparison(op, value=low, to=high)
        case "values":
            return Comparison(op, values=tuple(draw(st.lists(operands(kind), min_size=1, max_size=3))))
        case "days":
            return Comparison(op, days=draw(st.sampled_from([0, 1, 7, 8, 30, 366])))
        case "shift":
            return Comparison(op, days=draw(st.sampled_from([0, 1, -1, 7, -7, -30, 366, -366])))
        case "hours":
            return Comparison(op, hours=draw(st.sampled_from([1, 24, 8784])))
    return Comparison(op)


def periods() -> st.SearchStrategy[Comparison | None]:
    return st.none() | comparisons(Period())


def hours() -> st.SearchStrategy[tuple[int, ...]]:
    """None, mostly: else hardly anything is left."""
    return st.just(()) | st.lists(st.integers(0, 23), min_size=8, max_size=12, unique=True).map(tuple)


def weekdays() -> st.SearchStrategy[tuple[int, ...]]:
    return st.just(()) | st.lists(st.integers(1, 7), min_size=2, max_size=4, unique=True).map(tuple)
