"""Why a person is in or out: the tree with an answer at every node. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from perigee.segments.conditions import AnyOf, Exclude, Inlined, children, dump
from perigee.segments.leaves.leaf import Broken, Leaf
from perigee.segments.match import match
from perigee.segments.node import Node
from perigee.segments.person import Person
from perigee.segments.world import World


class Explained(msgspec.Struct, omit_defaults=True, rename={"kind": "is"}):
    """One node with its answer for one person."""

    path: str
    """Where it is in the condition: `condition.of[0]`."""
    kind: str
    holds: bool
    condition: Any = None
    """A single condition as it was written."""
    found: Any = None
    """What the person has there: a value, a count, a date. Of a condition on something gone: what is gone."""
    segment: int | None = None
    """The dynamic segment that this part is the condition of."""
    of: list[Explained] = []
    decides: bool = False
    """This part alone makes its parent's answer: one no in `all`, one yes in `any`."""


def explain(tree: Node, person: Person, world: World) -> Explained:
    """The answers of an expanded tree, from the top."""
    return _explain(tree, person, world, "condition")


def _explain(node: Node, person: Person, world: World, at: str) -> Explained:
    answer = Explained(path=at, kind=_kind(node), holds=match(node, person, world))
    if isinstance(node, Leaf):
        answer.condition = msgspec.json.decode(dump(node.leaf if isinstance(node, Broken) else node))
        answer.found = _shown(node.found(person, world), world)
    if isinstance(node, Inlined):
        answer.segment = node.id
    answer.of = [_explain(child, person, world, f"{at}.{member}") for member, child in children(node)]
    _mark_deciding(node, answer)
    return answer


def _mark_deciding(node: Node, answer: Explained) -> None:
    if isinstance(node, Leaf):
        return
    if isinstance(node, Exclude):
        of, minus = answer.of
        of.decides, minus.decides = not of.holds, minus.holds
        return
    deciding = isinstance(node, AnyOf)
    for part in answer.of:
        part.decides = len(answer.of) == 1 or part.holds is deciding


def _kind(node: Node) -> str:
    return str((node.leaf if isinstance(node, Broken) else node).__struct_config__.tag)


def _shown(value: Any, world: World) -> Any:
    if isinstance(value, dict):
        return {name: _shown(one, world) for name, one in value.items()}
    return value.astimezone(world.moment.zone) if isinstance(value, datetime) else value
