"""Brings a condition together with what it names: the step before `compile`, `match` and `explain`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from perigee.db.pool import Connection
from perigee.errors import NotFound
from perigee.segments import store
from perigee.segments.conditions import Condition, check, names, parse_stored
from perigee.segments.expand import MAX_NESTED, expand
from perigee.segments.leaves.membership import SegmentLeaf
from perigee.segments.moments import Moment
from perigee.segments.node import Node
from perigee.segments.types import SegmentRow
from perigee.segments.world import Catalogue, World


class Reading(NamedTuple):
    """An expanded tree with its world, ready for `compile`, `match` and `explain`."""

    tree: Condition
    world: World


async def read_tree(
    conn: Connection, org_id: int, tree: Node, now: datetime, *, strict: bool = False, own: int | None = None
) -> Reading:
    """A tree ready to be read at the moment `now`.

    `strict` refuses names that do not exist (Invalid), as for a condition that is being written; else they hold
    for nobody. `own`: the segment whose condition it is. Raises Invalid for cycles and more than the limits.
    """
    world = await load_world(conn, org_id, tree, now)
    if strict:
        check(tree, world.catalogue)
    return Reading(expand(tree, world.catalogue, own=own), world)


async def read_segment(conn: Connection, org_id: int, segment_id: int, now: datetime) -> Reading:
    """A list or a dynamic segment, ready to be read. Raises NotFound."""
    reading = await read_tree(conn, org_id, SegmentLeaf(segment_id), now)
    if segment_id not in reading.world.catalogue.rules and segment_id not in reading.world.catalogue.lists:
        raise NotFound(f"Segment with id='{segment_id}' is not found")
    return reading


async def load_world(conn: Connection, org_id: int, tree: Node, now: datetime) -> World:
    """What the tree and the segments it names refer to. Names that do not exist are missing in it."""
    time_zone, currency = await store.organisation(conn, org_id)
    segments = await _segments(conn, org_id, names(tree, "segment"))
    rules = {row.segment_id: parse_stored(row.condition) for row in segments if row.condition is not None}
    trees = [tree, *rules.values()]
    catalogue = Catalogue(
        currency=currency,
        fields=await store.catalogue_fields(conn, org_id, _all(trees, "field")),
        event_types=await store.catalogue_event_types(conn, org_id, _all(trees, "event_type")),
        categories=await store.catalogue_categories(conn, org_id, _all(trees, "category")),
        campaigns=await store.catalogue_campaigns(conn, org_id, _all(trees, "campaign")),
        messages=await store.catalogue_messages(conn, org_id, _all(trees, "message")),
        lists=frozenset(row.segment_id for row in segments if row.condition is None),
        rules=rules,
    )
    return World(org_id, Moment(now, _zone(time_zone)), catalogue)


async def _segments(conn: Connection, org_id: int, wanted: set[int]) -> list[SegmentRow]:
    """These segments, those they name, and so on: one query for each level of nesting."""
    found: dict[int, SegmentRow] = {}
    asked: set[int] = set()
    for _ in range(MAX_NESTED + 2):
        if not (wanted := wanted - asked):
            break
        asked |= wanted
        rows = await store.segments_by_ids(conn, org_id, sorted(wanted))
        found |= {row.segment_id: row for row in rows}
        wanted = set().union(
            *(names(parse_stored(row.condition), "segment") for row in rows if row.condition)
        )
    return list(found.values())


def _all(trees: Iterable[Node], kind: Any) -> list[Any]:
    return sorted(set().union(*(names(tree, kind) for tree in trees)))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
