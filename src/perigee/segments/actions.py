"""What a marketer does with a whole segment: split it, copy it, delete its people (product 4, "List page")."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from perigee.contacts.delete import delete_all
from perigee.db.plans import by_key
from perigee.db.pool import Connection
from perigee.errors import Conflict, Invalid
from perigee.segments import manage, people, store, tags
from perigee.segments.types import MAX_NAME, SegmentRow

MOST_PARTS: Final = 3
FEWEST_PEOPLE: Final = 11
CHUNK: Final = 10_000
"""People of a statement."""


class Part(NamedTuple):
    """`percent` none: all parts are even."""

    name: str
    percent: float | None = None


async def split(
    conn: Connection, org_id: int, segment_id: int, parts: Sequence[Part], now: datetime
) -> list[tuple[SegmentRow, int]]:
    """New lists with their numbers of people: everybody of the segment by chance in one of them. The segment stays.

    Raises NotFound; Invalid for other than 2 or 3 parts or percents that are not 100 together; Conflict for fewer than
    eleven people, and for a list's name that is taken.
    """
    _check_parts(parts)
    await manage.get(conn, org_id, segment_id)
    everybody = [one async for chunk in _everybody(conn, org_id, segment_id, now) for one in chunk]
    if len(everybody) < FEWEST_PEOPLE:
        raise Conflict(f"segment {segment_id} has {len(everybody)} people, a split needs more than 10")
    random.shuffle(everybody)
    made: list[tuple[SegmentRow, int]] = []
    done = 0
    for part, end in zip(parts, _ends(parts, len(everybody)), strict=True):
        row = await manage.create_list(conn, org_id, part.name)
        await _fill(conn, org_id, row.segment_id, sorted(everybody[done:end]))
        made.append((row, end - done))
        done = end
    return made


def _check_parts(parts: Sequence[Part]) -> None:
    if not 2 <= len(parts) <= MOST_PARTS:
        raise Invalid.of("parts", len(parts), f"must be 2 to {MOST_PARTS}")
    given = [part.percent for part in parts if part.percent is not None]
    if given and (len(given) != len(parts) or min(given) <= 0 or abs(sum(given) - 100) > 0.001):
        raise Invalid(
            "parts: percents must be above 0 and 100 together, in all parts or in none", field="parts"
        )


def _ends(parts: Sequence[Part], total: int) -> list[int]:
    """Where each part ends among so many people. Pure."""
    ends: list[int] = []
    share = 0.0
    for part in parts:
        share += 100 / len(parts) if part.percent is None else part.percent
        ends.append(round(total * share / 100))
    ends[-1] = total
    return ends


async def _fill(conn: Connection, org_id: int, segment_id: int, contact_ids: Sequence[int]) -> None:
    await by_key(conn)
    for start in range(0, len(contact_ids), CHUNK):
        await store.attach(conn, org_id, segment_id, contact_ids[start : start + CHUNK], [])


async def copy(conn: Connection, org_id: int, segment_id: int, name: str | None, now: datetime) -> SegmentRow:
    """A dynamic segment with the same condition, description and tags. Raises NotFound, and Invalid for a list."""
    found = await manage.get(conn, org_id, segment_id)
    if found.condition is None:
        raise Invalid.of("id", segment_id, "is a list; only dynamic segments are copied")
    tree = msgspec.json.decode(found.condition)
    name = name or f"Copy of {found.name}"[:MAX_NAME]
    made = await manage.create_dynamic(conn, org_id, name, tree, now, found.description)
    await tags.change(conn, org_id, [made.segment_id], add=found.tags)
    return await manage.get(conn, org_id, made.segment_id)


async def delete_people(conn: Connection, org_id: int, segment_id: int, now: datetime) -> int:
    """Everybody of the segment, softly: for 30 days they can be restored (product 17). How many. Raises NotFound."""
    found = await manage.get(conn, org_id, segment_id)
    reason = f"with the segment {found.name}"
    gone = 0
    async for chunk in _everybody(conn, org_id, segment_id, now):
        gone += len(await delete_all(conn, org_id, chunk, erase=False, reason=reason))
    return gone


async def _everybody(
    conn: Connection, org_id: int, segment_id: int, now: datetime
) -> AsyncIterator[list[int]]:
    after = 0
    while chunk := await people.members(conn, org_id, segment_id, now, rows=CHUNK, after=after):
        yield chunk
        after = chunk[-1]
