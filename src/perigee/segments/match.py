"""A condition tree read for one person: true or false. Pure. The other reading is `compile`."""

from __future__ import annotations

from perigee.segments.conditions import All, AnyOf, Exclude, Inlined, Not, walk
from perigee.segments.leaves.leaf import Leaf
from perigee.segments.node import Node
from perigee.segments.person import Needs, Person
from perigee.segments.world import Catalogue, World


def match(tree: Node, person: Person, world: World) -> bool:
    """Whether the person is in. The tree must be expanded and checked; the facts must cover `needs(tree)`."""
    match tree:
        case Leaf():
            return tree.holds(person, world)
        case All():
            return all(match(child, person, world) for child in tree.of)
        case AnyOf():
            return any(match(child, person, world) for child in tree.of)
        case Not():
            return not match(tree.of, person, world)
        case Exclude():
            return match(tree.of, person, world) and not match(tree.minus, person, world)
        case Inlined():
            return match(tree.of, person, world)
    raise TypeError(tree)


def needs(tree: Node, catalogue: Catalogue) -> Needs:
    """What of a person the tree looks at."""
    found = Needs()
    for _, node in walk(tree):
        if isinstance(node, Leaf):
            node.need(found, catalogue)
    return found
