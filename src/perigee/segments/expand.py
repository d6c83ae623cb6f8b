"""Makes a tree ready to be read: dynamic segments in place, conditions on what is gone marked. Pure."""

from __future__ import annotations

from typing import cast

from perigee.errors import Invalid
from perigee.segments.conditions import All, AnyOf, Condition, Exclude, Inlined, Not
from perigee.segments.leaves.leaf import Broken, Leaf
from perigee.segments.leaves.membership import SegmentLeaf
from perigee.segments.node import Node
from perigee.segments.world import Catalogue

MAX_EXPANDED = 1000
MAX_NESTED = 8


def expand(tree: Node, catalogue: Catalogue, *, own: int | None = None) -> Condition:
    """The tree with every dynamic segment of the catalogue in place. `own`: the segment that the tree is of.

    Raises Invalid for a segment that names itself, directly or through others; for more than `MAX_NESTED`
    segments within each other; for more than `MAX_EXPANDED` conditions in the end.
    """
    return _Expansion(catalogue).of(tree, () if own is None else (own,))


class _Expansion:
    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._conditions = 0

    def of(self, node: Node, within: tuple[int, ...]) -> Condition:
        match node:
            case SegmentLeaf() if node.joined is None and (
                node.id in self._catalogue.rules or node.id in within
            ):
                inlined = Inlined(node.id, self.of(self._rule(node.id, within), (*within, node.id)))
                return cast("Condition", inlined)  # stands where conditions do, but is never read from JSON
            case Leaf():
                self._conditions += 1
                if self._conditions > MAX_EXPANDED:
                    raise Invalid(
                        f"condition: holds more than {MAX_EXPANDED} conditions with those of the segments it names",
                        field="condition",
                    )
                return cast("Condition", _sound(node, self._catalogue))
            case All():
                return All(tuple(self.of(child, within) for child in node.of))
            case AnyOf():
                return AnyOf(tuple(self.of(child, within) for child in node.of))
            case Not():
                return Not(self.of(node.of, within))
            case Exclude():
                return Exclude(self.of(node.of, within), self.of(node.minus, within))
        raise TypeError(node)

    def _rule(self, segment_id: int, within: tuple[int, ...]) -> Node:
        if segment_id in within:
            chain = " → ".join(str(number) for number in (*within[within.index(segment_id) :], segment_id))
            raise Invalid(f"condition: segment {segment_id} names itself: {chain}", field="condition")
        if len(within) > MAX_NESTED:
            raise Invalid(f"condition: more than {MAX_NESTED} segments within each other", field="condition")
        return self._catalogue.rules[segment_id]


def _sound(leaf: Leaf, catalogue: Catalogue) -> Leaf:
    try:
        leaf.check("condition", catalogue)
    except Invalid as error:
        return Broken(leaf, error.message)
    return leaf
