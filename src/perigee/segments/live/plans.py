"""The dynamic segments of an organisation as they read now: tree, what it looks at, a digest to see when it changes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from perigee.db.pool import Connection
from perigee.errors import Invalid
from perigee.segments import kinds as of
from perigee.segments import store as segments
from perigee.segments.conditions import All, Condition, walk
from perigee.segments.expand import expand
from perigee.segments.leaves.leaf import Broken, Leaf
from perigee.segments.leaves.membership import SegmentLeaf
from perigee.segments.live import store
from perigee.segments.match import needs
from perigee.segments.moments import Moment
from perigee.segments.node import Node
from perigee.segments.reading import Reading, load_world
from perigee.segments.world import Catalogue, World

KEPT = timedelta(seconds=30)
"""How long plans are used while no rule is written: fields, event types and categories may come and go meanwhile."""


class Plan(NamedTuple):
    segment_id: int
    tree: Condition
    kinds: int
    shape: str


class Plans:
    """All plans of an organisation at one version of its rules."""

    def __init__(self, version: int, loaded_at: datetime, world: World, plans: Mapping[int, Plan]) -> None:
        self.version = version
        self.loaded_at = loaded_at
        self.plans = plans
        self._world = world

    @property
    def moment(self) -> Moment:
        return self._world.moment

    def world(self, now: datetime) -> World:
        return replace(self._world, moment=Moment(now, self._world.moment.zone))

    def reading(self, segment_id: int, now: datetime) -> Reading:
        return Reading(self.plans[segment_id].tree, self.world(now))


class Planner:
    """Remembers plans while nobody writes a rule."""

    def __init__(self) -> None:
        self._known: dict[int, Plans] = {}

    async def of(self, conn: Connection, org_id: int, now: datetime) -> Plans:
        version = await store.version(conn, org_id)
        known = self._known.get(org_id)
        if known is None or known.version != version or not abs(now - known.loaded_at) < KEPT:
            known = self._known[org_id] = await load(conn, org_id, version, now)
        return known


async def load(conn: Connection, org_id: int, version: int, now: datetime) -> Plans:
    """A segment whose condition cannot be read any more, because what it names grew beyond the limits, is left out."""
    rows = await segments.dynamic_segments(conn, org_id)
    world = await load_world(conn, org_id, All(tuple(SegmentLeaf(row.segment_id) for row in rows)), now)
    plans = {}
    for row in rows:
        try:
            tree = expand(SegmentLeaf(row.segment_id), world.catalogue)
        except Invalid:
            continue
        plans[row.segment_id] = Plan(row.segment_id, tree, kinds(tree, world.catalogue), shape(tree, world))
    return Plans(version, now, world, plans)


def kinds(tree: Node, catalogue: Catalogue) -> int:
    """What an expanded tree looks at; what names something that is not there yet may look at anything."""
    nodes = [node for _, node in walk(tree) if isinstance(node, Leaf)]
    if any(isinstance(node, Broken) for node in nodes):
        return of.ANY
    found = of.PRESENCE | (of.FIELDS if any(node.plain for node in nodes) else 0)
    return found | of.following(needs(tree, catalogue))


def shape(tree: Node, world: World) -> str:
    """Changes with everything but the contacts that the answers of a tree depend on."""
    catalogue = world.catalogue
    names: set[tuple[str, str]] = set()
    for _, node in walk(tree):
        for kind, name in node.names() if isinstance(node, Leaf) else ():
            known: Mapping[int | str, object] = {
                "field": catalogue.fields,
                "event_type": catalogue.event_types,
                "category": catalogue.categories,
            }.get(kind, {})  # type: ignore[assignment]  # each is read with its own names only
            names.add((str(name), f"{kind} {known.get(name)}"))
    text = msgspec.json.encode([tree, sorted(names), catalogue.currency, world.moment.zone.key])
    return hashlib.blake2b(text, digest_size=12).hexdigest()
