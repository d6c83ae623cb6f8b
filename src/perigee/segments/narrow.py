"""Finds out cheaply, before the real question, among which few people the answer must be.

A count over what happened is asked of everybody at once, because that is best where many are asked about; for
few, an index look-up each is a hundred times less work. Which of the two it will be depends on the tree's other
conditions, and the planner's guess of them can be off by as much. So they are asked first, up to `MOST` people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from perigee.db.pool import Connection
from perigee.segments import store
from perigee.segments.compile import compile_ids, compile_some
from perigee.segments.conditions import All, AnyOf, Condition, Exclude, Inlined, Not, walk
from perigee.segments.leaves.leaf import Effort, Leaf
from perigee.segments.node import Node
from perigee.segments.reading import Reading

MOST = 5_000
"""Beyond this many, asking of everybody at once wins."""
MOST_PLANS = 8
"""Of so many conditions the cheapest is looked for; each takes the planner some milliseconds."""


async def narrow(conn: Connection, reading: Reading) -> Reading:
    """The same question, or what is left of it: its world with candidates where a part of the tree leaves few, its tree
    without that part."""
    cheap = cheap_part(reading.tree)
    if cheap is None:
        return reading
    asked: Sequence[Condition] = cheap.of
    found = await _few(conn, reading, cheap)
    if found is None and len(dear := _dear_parts(reading.tree)) > 1:
        costs = [(await _plan(conn, reading, part)).cost for part in dear]
        asked = (*cheap.of, dear[costs.index(min(costs))])
        found = await _some(conn, reading, All(tuple(asked)))
    if found is None:
        return reading
    left = [part for part in _conjuncts(reading.tree) if not any(part is one for one in asked)]
    return Reading(All(tuple(left)), replace(reading.world, candidates=found))


async def _few(conn: Connection, reading: Reading, part: Condition) -> list[int] | None:
    """Who holds, where they are few; not asked where the planner knows that they are many."""
    plan = await _plan(conn, reading, part)
    return None if plan.rows > MOST else await _some(conn, reading, part)


async def _some(conn: Connection, reading: Reading, part: Condition) -> list[int] | None:
    compiled = compile_some(part, reading.world, rows=MOST + 1)
    found = await store.column(conn, compiled.sql, compiled.values)
    return None if len(found) > MOST else found


async def _plan(conn: Connection, reading: Reading, part: Condition) -> store.Plan:
    compiled = compile_ids(All((part,)), reading.world)
    return await store.plan(conn, compiled.sql, compiled.values)


def cheap_part(tree: Condition) -> All | None:
    """The conditions of small effort that everybody who holds must meet; None where nothing is counted."""
    conjuncts = _conjuncts(tree)
    cheap = tuple(part for part in conjuncts if _effort(part) is Effort.SMALL)
    return All(cheap) if cheap and _effort(tree) is Effort.COUNT else None


def _dear_parts(tree: Condition) -> Sequence[Condition]:
    """What everybody must meet and looks at what happened; what nobody may have done leaves nearly all."""
    rare = [part for part in _conjuncts(tree) if not isinstance(part, Not)]
    return [part for part in rare if _effort(part) is not Effort.SMALL][:MOST_PLANS]


def _conjuncts(tree: Condition | Inlined) -> list[Condition]:
    match tree:
        case All():
            return [conjunct for part in tree.of for conjunct in _conjuncts(part)]
        case Exclude():
            return [*_conjuncts(tree.of), Not(tree.minus)]
        case Inlined():
            return _conjuncts(tree.of)
        case AnyOf() if len(tree.of) == 1:
            return _conjuncts(tree.of[0])
    return [tree]


def _effort(tree: Node) -> Effort:
    return max(node.effort for _, node in walk(tree) if isinstance(node, Leaf))
