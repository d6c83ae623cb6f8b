"""The people of a segment or of a condition: how many, which, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from perigee.db.pool import Connection
from perigee.errors import NotFound
from perigee.segments import store
from perigee.segments.compile import Compiled, compile_count, compile_page
from perigee.segments.explain import Explained, explain
from perigee.segments.facts import load_people
from perigee.segments.limits import NORMAL, Limits, afford, bounded
from perigee.segments.match import match, needs
from perigee.segments.narrow import narrow
from perigee.segments.node import Node
from perigee.segments.reading import Reading, read_segment, read_tree


class Preview(NamedTuple):
    """How many hold at this moment, and the first of them by id."""

    total: int
    sample: list[int]


async def count(
    conn: Connection, org_id: int, segment_id: int, now: datetime, *, limits: Limits = NORMAL
) -> int:
    """How many living contacts are in a segment now. Raises NotFound; beyond the limits Unavailable, TooExpensive."""
    reading = await read_segment(conn, org_id, segment_id, now)
    async with bounded(conn, limits):
        return await _count(conn, await narrow(conn, reading), limits)


async def preview(
    conn: Connection, org_id: int, tree: Node, now: datetime, *, rows: int = 10, limits: Limits = NORMAL
) -> Preview:
    """Answers for a condition that need not be stored. Raises Invalid for unknown names; beyond the limits Unavailable,
    TooExpensive."""
    reading = await read_tree(conn, org_id, tree, now, strict=True)
    return await _preview(conn, reading, rows, limits)


async def preview_segment(
    conn: Connection,
    org_id: int,
    segment_id: int,
    now: datetime,
    *,
    rows: int = 10,
    limits: Limits = NORMAL,
) -> Preview:
    """The same for a stored segment. Raises NotFound; beyond the limits Unavailable, TooExpensive."""
    return await _preview(conn, await read_segment(conn, org_id, segment_id, now), rows, limits)


async def members(
    conn: Connection,
    org_id: int,
    segment_id: int,
    now: datetime,
    *,
    rows: int,
    after: int = 0,
    skip: int = 0,
    descending: bool = False,
    limits: Limits = NORMAL,
) -> list[int]:
    """A page of contact ids in the order of ids: behind the id `after`, or behind `skip` people.

    Raises NotFound; beyond the limits Unavailable, TooExpensive.
    """  # fmt: skip
    reading = await read_segment(conn, org_id, segment_id, now)
    async with bounded(conn, limits):
        compiled = compile_page(
            *await narrow(conn, reading), after=after, skip=skip, rows=rows, descending=descending
        )
        return await _column(conn, compiled, limits)


async def explain_segment(
    conn: Connection, org_id: int, segment_id: int, contact_id: int, now: datetime
) -> Explained:
    """Why a person is in a segment or not. Raises NotFound for either."""
    return await _explain(conn, org_id, await read_segment(conn, org_id, segment_id, now), contact_id)


async def explain_tree(
    conn: Connection, org_id: int, tree: Node, contact_id: int, now: datetime
) -> Explained:
    """The same for a condition that need not be stored. Raises Invalid for unknown names."""
    return await _explain(conn, org_id, await read_tree(conn, org_id, tree, now, strict=True), contact_id)


async def matching(
    conn: Connection, org_id: int, reading: Reading, contact_ids: Sequence[int]
) -> dict[int, bool]:
    """Which of these contacts hold, by their facts; deleted and unknown ones are left out. Hundreds at a time."""
    people = await load_people(conn, org_id, contact_ids, needs(reading.tree, reading.world.catalogue))
    return {number: match(reading.tree, person, reading.world) for number, person in people.items()}


async def _count(conn: Connection, reading: Reading, limits: Limits) -> int:
    return (await _column(conn, compile_count(*reading), limits))[0]


async def _preview(conn: Connection, reading: Reading, rows: int, limits: Limits) -> Preview:
    async with bounded(conn, limits):
        reading = await narrow(conn, reading)
        sample = compile_page(*reading, rows=rows)
        return Preview(await _count(conn, reading, limits), await _column(conn, sample, limits))


async def _column(conn: Connection, compiled: Compiled, limits: Limits) -> list[int]:
    await afford(conn, compiled.sql, compiled.values, limits)
    return await store.column(conn, compiled.sql, compiled.values)


async def _explain(conn: Connection, org_id: int, reading: Reading, contact_id: int) -> Explained:
    people = await load_people(conn, org_id, [contact_id], needs(reading.tree, reading.world.catalogue))
    if contact_id not in people:
        raise NotFound(f"Contact with id='{contact_id}' is not found")
    return explain(reading.tree, people[contact_id], reading.world)
