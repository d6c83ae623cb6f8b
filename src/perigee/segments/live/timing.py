"""When a condition may change its answer though nothing of anybody changes. Pure.

Conditions on days follow the midnight of the organisation's zone, those on hours every minute. The end of an
address's block has its own look (`notes` of whom it concerns), because it is asked for often and concerns few.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from perigee.segments.comparisons import Comparison
from perigee.segments.conditions import walk
from perigee.segments.leaves.leaf import Leaf
from perigee.segments.moments import Moment
from perigee.segments.node import Node

DAYS = frozenset(
    (
        "last_days",
        "before_last_days",
        "next_days",
        "after_next_days",
        "in_days",
        "anniversary",
        "anniversary_within",
    )
)
HOURS = frozenset(("last_hours",))
MINUTE = timedelta(minutes=1)
SPARING = 20
"""A look that takes a second is repeated after no less than so many."""


def next_change(tree: Node, moment: Moment, *, took: timedelta, recheck: timedelta) -> datetime:
    """When an expanded tree must be asked anew of everybody. `took`: how long that took; `recheck`: after which time it
    is asked in any case."""
    operators = {comparison.op for comparison in comparisons(tree)}
    found = [moment.now + recheck]
    if operators & DAYS:
        found.append(moment.start_of(moment.day(1)))
    if operators & HOURS:
        found.append(moment.now + max(MINUTE, took * SPARING))
    return min(found)


def comparisons(tree: Node) -> Iterator[Comparison]:
    """Every comparison of every condition in a tree."""
    for _, node in walk(tree):
        if isinstance(node, Leaf):
            yield from _within(node)
            yield from node.relative()


def _within(value: object) -> Iterator[Comparison]:
    if isinstance(value, Comparison):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _within(part)
    elif isinstance(value, msgspec.Struct):
        for field in msgspec.structs.fields(value):
            yield from _within(getattr(value, field.name))
