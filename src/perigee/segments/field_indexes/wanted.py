"""Which indexes the rules of an organisation want, and what to do about those that stand. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from perigee.segments.comparisons import Key
from perigee.segments.conditions import Exclude, Not, children
from perigee.segments.leaves.fields import AdditionalLeaf
from perigee.segments.node import Node
from perigee.segments.world import Catalogue

UNWANTED_FOR = timedelta(days=1)
"""How long an index that no rule wants any more is kept: rules are edited to and fro."""


class FieldIndex(NamedTuple):
    """An index of the living contacts of one organisation by what a rule reads out of an additional field."""

    org_id: int
    field_id: int
    key: Key

    @property
    def name(self) -> str:
        """Another key, as when a field changes its type, is another name."""
        digest = hashlib.blake2b(repr(tuple(self.key)).encode(), digest_size=4).hexdigest()
        return f"contact_field_{self.org_id}_{self.field_id}_{digest}"

    @property
    def statement(self) -> str:
        """Not the organisation in the key but in the condition: so it is small, and nobody else's writers pay for it. The
        planner can tell only where it knows the organisation: for statements run with `prepare=False`, as segments are."""
        collation = f' collate "{self.key.collation}"' if self.key.collation else ""
        return (
            f"create index concurrently {self.name} on contact using {self.key.method} "
            f"(({self.key.expression}){collation}) where org_id = {self.org_id} and deleted_at is null"
        )


class Standing(NamedTuple):
    """An index in the database. `valid` is False for what a build that was broken off has left."""

    name: str
    valid: bool
    unwanted_since: datetime | None


class Steps(NamedTuple):
    drop: list[str]
    unwanted: list[str]
    wanted_again: list[str]
    build: list[FieldIndex]


def wanted(
    org_id: int, trees: Iterable[Node], catalogue: Catalogue, most: int, standing: Collection[str]
) -> list[FieldIndex]:
    """The `most` that the largest number of these expanded trees can use; among equals those that stand already."""
    uses: Counter[FieldIndex] = Counter()
    for tree in trees:
        uses.update(
            {FieldIndex(org_id, leaf.id, key) for leaf in _looked_up(tree) if (key := leaf.key(catalogue))}
        )
    return sorted(uses, key=lambda one: (-uses[one], one.name not in standing, one.field_id, one.name))[:most]


def _looked_up(tree: Node) -> Iterator[AdditionalLeaf]:
    """Conditions that must hold. What must not hold no index finds."""
    if isinstance(tree, AdditionalLeaf):
        yield tree
    elif isinstance(tree, Exclude):
        yield from _looked_up(tree.of)
    elif not isinstance(tree, Not):
        for _, child in children(tree):
            yield from _looked_up(child)


def steps(wishes: Iterable[FieldIndex], standing: Collection[Standing], most: int, now: datetime) -> Steps:
    """What brings the indexes that stand to those that are wished for, never more than `most` of an organisation.

    What a broken-off build has left is dropped and built anew; what is unwanted is marked first and dropped a day later.
    """
    by_name = {wish.name: wish for wish in wishes}
    broken = [one.name for one in standing if not one.valid]
    sound = [one for one in standing if one.valid]
    gone = [one.name for one in sound if one.name not in by_name and _expired(one.unwanted_since, now)]
    kept = {one.name for one in sound}.difference(gone)
    room = Counter(int(name.split("_")[2]) for name in kept)
    build = []
    for name, wish in by_name.items():
        if name not in kept and room[wish.org_id] < most:
            room[wish.org_id] += 1
            build.append(wish)
    return Steps(
        drop=broken + gone,
        unwanted=[one.name for one in sound if one.name not in by_name and one.unwanted_since is None],
        wanted_again=[one.name for one in sound if one.name in by_name and one.unwanted_since],
        build=build,
    )


def _expired(since: datetime | None, now: datetime) -> bool:
    return since is not None and since <= now - UNWANTED_FOR
