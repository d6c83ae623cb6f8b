"""Conditions on belonging: lists, other segments, subscription categories."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from perigee.errors import Invalid
from perigee.segments.comparisons import Comparison
from perigee.segments.dates import Period
from perigee.segments.leaves.leaf import Members, Name, SetLeaf
from perigee.segments.person import Needs, Person
from perigee.segments.sql import Sql, both
from perigee.segments.world import Catalogue, World

_PERIOD = Period()


class SegmentLeaf(SetLeaf, frozen=True, tag="segment"):
    """Is in another segment: `{"is": "segment", "id": 200401}`. `joined`: when it came into a list.

    `expand` replaces a dynamic one by its condition before anything is read; what is left here is a list.
    """

    id: int
    joined: Comparison | None = None

    def names(self) -> Iterable[Name]:
        yield "segment", self.id

    def check(self, at: str, catalogue: Catalogue) -> None:
        if self.id not in catalogue.lists and self.id not in catalogue.rules:
            raise Invalid.of(f"{at}.id", self.id, "is not the id of a segment")
        if self.joined is not None and self.id not in catalogue.lists:
            raise Invalid(f"{at}.joined: is taken by lists only", field=f"{at}.joined")
        if self.joined is not None:
            _PERIOD.check(self.joined, f"{at}.joined")

    def need(self, needs: Needs, catalogue: Catalogue) -> None:
        needs.segments.add(self.id)

    def members(self, sql: Sql) -> Members:
        return _list_members(sql, self.id, self.joined)

    def found(self, person: Person, world: World) -> Any:
        """When it came into the list, None of one it is not in."""
        return person.segments.get(self.id)

    def holds(self, person: Person, world: World) -> bool:
        return _joined(self.found(person, world), self.joined, world)


class CategoryLeaf(SetLeaf, frozen=True, tag="category"):
    """Has a subscription category: `{"is": "category", "key": "news"}`. `joined`: since when."""

    key: str
    joined: Comparison | None = None

    def names(self) -> Iterable[Name]:
        yield "category", self.key

    def check(self, at: str, catalogue: Catalogue) -> None:
        if self.key not in catalogue.categories:
            raise Invalid.of(f"{at}.key", self.key, "is not the key of a subscription category")
        if self.joined is not None:
            _PERIOD.check(self.joined, f"{at}.joined")

    def need(self, needs: Needs, catalogue: Catalogue) -> None:
        needs.segments.add(catalogue.categories[self.key])

    def members(self, sql: Sql) -> Members:
        return _list_members(sql, sql.world.catalogue.categories[self.key], self.joined)

    def found(self, person: Person, world: World) -> Any:
        """Since when, None of one that it has not."""
        return person.segments.get(world.catalogue.categories[self.key])

    def holds(self, person: Person, world: World) -> bool:
        return _joined(self.found(person, world), self.joined, world)


def _list_members(sql: Sql, segment_id: int, joined: Comparison | None) -> Members:
    t = sql.alias()
    conditions = [f"{t}.org_id = {sql.org}", f"{t}.segment_id = {sql.bind(segment_id, 'bigint')}"]
    if joined is not None:
        conditions += sql.within(f"{t}.joined_at", _PERIOD.window(joined, sql.world.moment))
    return Members(f"select {t}.contact_id from segment_member {t} where {both(conditions)}")


def _joined(at: datetime | None, joined: Comparison | None, world: World) -> bool:
    return at is not None and (joined is None or _PERIOD.holds(at, joined, world.moment))
