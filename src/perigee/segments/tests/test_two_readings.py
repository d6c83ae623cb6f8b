"""A condition means the same as SQL over everybody and as a yes or no for one person."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, get_args

import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings

from perigee.db.pool import Database
from perigee.segments.comparisons import Comparison
from perigee.segments.compile import compile_ids
from perigee.segments.conditions import Condition, Not, dump, parse
from perigee.segments.expand import expand
from perigee.segments.facts import load_people
from perigee.segments.leaves.cart import AbandonedLeaf
from perigee.segments.leaves.events import EventLeaf
from perigee.segments.leaves.fields import FieldLeaf
from perigee.segments.leaves.happenings import SOURCES, MessageFilter
from perigee.segments.leaves.leaf import Leaf
from perigee.segments.leaves.site import SiteLeaf
from perigee.segments.leaves.visits import VISITS
from perigee.segments.match import match
from perigee.segments.narrow import cheap_part
from perigee.segments.node import Node
from perigee.segments.person import Needs, Person
from perigee.segments.tests.population import EVENT_TYPES, FIRST_ID, LISTS, ORG, PEOPLE
from perigee.segments.tests.strategies import LEAVES, narrowing_members, trees
from perigee.segments.world import World


class Crowd:
    """The same people twice: in the database, and as facts with everything a condition can look at."""

    def __init__(self, connection: psycopg.Connection[Any], people: dict[int, Person], world: World) -> None:
        self.connection, self.people, self.world = connection, people, world

    def by_sql(self, tree: Node) -> list[int]:
        compiled = compile_ids(expand(tree, self.world.catalogue), self.world)
        rows = self.connection.execute(compiled.sql.encode(), compiled.values, prepare=False).fetchall()
        return [contact_id for (contact_id,) in rows]

    def by_narrowed_sql(self, tree: Node) -> list[int]:
        """With the candidates that the cheap part of the tree leaves, however many."""
        cheap = cheap_part(expand(tree, self.world.catalogue))
        if cheap is None:
            return self.by_sql(tree)
        world = replace(self.world, candidates=self.by_facts(cheap))
        return Crowd(self.connection, self.people, world).by_sql(tree)

    def by_facts(self, tree: Node) -> list[int]:
        expanded = expand(tree, self.world.catalogue)
        return [number for number, person in self.people.items() if match(expanded, person, self.world)]


@pytest.fixture(scope="module")
async def crowd(populated: str, world: World) -> AsyncIterator[Crowd]:
    needs = Needs(
        addresses=True,
        tokens=True,
        segments=set(LISTS),
        order_sums=True,
        orders=True,
        items=True,
        products=True,
        changes=True,
        rfm=True,
        events={number: {"price", "name", "gone"} for number in EVENT_TYPES.values()},
        lists={name: {"price", "name"} for name in ("goods", "price", "gone")},
        messages=set(SOURCES),
        message_details=True,
    )
    for what in VISITS:
        SiteLeaf(what=what).need(needs, world.catalogue)  # type: ignore[arg-type]  # the names of the literal
    AbandonedLeaf(what="view").need(needs, world.catalogue)
    async with Database(populated) as database, database.connection() as conn:
        people = await load_people(conn, ORG, range(FIRST_ID, FIRST_ID + PEOPLE), needs)
    with psycopg.connect(populated, autocommit=True) as connection:
        yield Crowd(connection, people, world)


def agree(tree: Node, crowd: Crowd) -> list[int]:
    """Who holds, by both readings; asserts that they are one."""
    chosen = crowd.by_sql(tree)
    assert len(chosen) == len(set(chosen)), "somebody is chosen twice"
    assert sorted(chosen) == sorted(crowd.by_facts(tree)), dump(tree)
    assert sorted(chosen) == sorted(crowd.by_narrowed_sql(tree)), dump(tree)
    return chosen


def test_compile_and_match_agree_on_ten_thousand_pairs(crowd: Crowd) -> None:
    """A pair is a condition and a contact. Some answers of each kind, or the conditions would prove nothing."""
    pairs: Counter[bool] = Counter()

    @settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(tree=trees())
    @example(tree=Not(FieldLeaf("town", Comparison("equals", value="kyiv"))))
    @example(tree=EventLeaf("cart", Comparison("less", value=0)))
    def compare(tree: Node) -> None:
        chosen = agree(tree, crowd)
        pairs[True] += len(chosen)
        pairs[False] += len(crowd.people) - len(chosen)

    compare()
    assert pairs.total() >= 10_000
    assert min(pairs.values()) >= 1_000


@pytest.mark.parametrize("name", LEAVES)
def test_compile_and_match_agree_on_every_single_condition(name: str, crowd: Crowd) -> None:
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(leaf=LEAVES[name]())
    def compare(leaf: Leaf) -> None:
        agree(leaf, crowd)

    compare()


def test_every_condition_and_every_narrowing_is_generated() -> None:
    singles = [kind for kind in get_args(Condition) if issubclass(kind, Leaf)]
    assert set(LEAVES) == {kind.__struct_config__.tag for kind in singles}
    assert set(narrowing_members()) == {field.name for field in msgspec.structs.fields(MessageFilter)}


@settings(max_examples=200, deadline=None)
@given(tree=trees())
def test_a_tree_survives_being_stored(tree: Node) -> None:
    assert parse(dump(tree).encode()) == tree
