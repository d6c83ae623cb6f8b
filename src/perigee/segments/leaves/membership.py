"""Conditions on belonging: lists, other segments, subscription categories."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from perigee.errors import Invalid
from perigee.segments.leaves.leaf import Members, Name, SetLeaf
from perigee.segments.person import Needs, Person
from perigee.segments.sql import Sql
from perigee.segments.world import Catalogue, World


class SegmentLeaf(SetLeaf, frozen=True, tag="segment"):
    """Is in another segment: `{"is": "segment", "id": 200401}`.

    `expand` replaces a dynamic one by its condition before anything is read; what is left here is a list.
    """

    id: int

    def names(self) -> Iterable[Name]:
        yield "segment", self.id

    def check(self, at: str, catalogue: Catalogue) -> None:
        if self.id not in catalogue.lists and self.id not in catalogue.rules:
            raise Invalid.of(f"{at}.id", self.id, "is not the id of a segment")

    def need(self, needs: Needs, catalogue: Catalogue) -> None:
        needs.segments.add(self.id)

    def members(self, sql: Sql) -> Members:
        return _list_members(sql, self.id)

    def found(self, person: Person, world: World) -> Any:
        return self.id in person.segments

    def holds(self, person: Person, world: World) -> bool:
        return bool(self.found(person, world))


class CategoryLeaf(SetLeaf, frozen=True, tag="category"):
    """Has a subscription category: `{"is": "category", "key": "news"}`."""

    key: str

    def names(self) -> Iterable[Name]:
        yield "category", self.key

    def check(self, at: str, catalogue: Catalogue) -> None:
        if self.key not in catalogue.categories:
            raise Invalid.of(f"{at}.key", self.key, "is not the key of a subscription category")

    def need(self, needs: Needs, catalogue: Catalogue) -> None:
        needs.segments.add(catalogue.categories[self.key])

    def members(self, sql: Sql) -> Members:
        return _list_members(sql, sql.world.catalogue.categories[self.key])

    def found(self, person: Person, world: World) -> Any:
        return world.catalogue.categories[self.key] in person.segments

    def holds(self, person: Person, world: World) -> bool:
        return bool(self.found(person, world))


def _list_members(sql: Sql, segment_id: int) -> Members:
    t = sql.alias()
    return Members(
        f"select {t}.contact_id from segment_member {t} "
        f"where {t}.org_id = {sql.org} and {t}.segment_id = {sql.bind(segment_id, 'bigint')}"
    )
