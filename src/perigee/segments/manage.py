"""Making, changing and deleting segments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from perigee.db.pool import Connection
from perigee.errors import Conflict, Invalid, NotFound
from perigee.lib.tags import clean_tags
from perigee.lib.text import clean_lines_or_none, clean_or_none
from perigee.segments import store
from perigee.segments.conditions import All, dump, names, parse_stored, read
from perigee.segments.live import requests as live
from perigee.segments.live import store as live_store
from perigee.segments.reading import load_world, read_tree
from perigee.segments.types import MAX_DESCRIPTION, MAX_NAME, Segment, SegmentRow


async def get(conn: Connection, org_id: int, segment_id: int) -> SegmentRow:
    """Raises NotFound."""
    found = await store.segment(conn, org_id, segment_id)
    if found is None:
        raise NotFound(f"Segment with id='{segment_id}' is not found")
    return found


async def shown(conn: Connection, org_id: int, rows: Sequence[SegmentRow]) -> list[Segment]:
    """Segments with what is kept of the dynamic ones."""
    dynamic = [row.segment_id for row in rows if row.kind == "dynamic"]
    standing = await live_store.standing(conn, org_id, dynamic) if dynamic else {}
    return [
        Segment(
            **row._replace(
                condition=None if row.condition is None else msgspec.json.decode(row.condition)
            )._asdict(),
            live=standing.get(row.segment_id, UNSET),
        )
        for row in rows
    ]


async def show(conn: Connection, org_id: int, segment_id: int) -> Segment:
    """Raises NotFound."""
    return (await shown(conn, org_id, [await get(conn, org_id, segment_id)]))[0]


async def today(conn: Connection, org_id: int, now: datetime) -> date:
    """The organisation's day."""
    return (await load_world(conn, org_id, All(()), now)).moment.today


async def create_list(conn: Connection, org_id: int, name: str, description: str | None = None) -> SegmentRow:
    """A list without people. Raises Invalid, and Conflict when there is a list of this name."""
    segment_id = await store.insert_segment(
        conn,
        org_id,
        name=clean_name(name),
        kind="static",
        condition=None,
        description=_description(description),
    )
    return await get(conn, org_id, segment_id)


async def create_dynamic(
    conn: Connection, org_id: int, name: str, condition: Any, now: datetime, description: str | None = None
) -> SegmentRow:
    """A segment by rule. `condition`: decoded JSON of a tree. Raises Invalid naming path, value and rule."""
    segment_id = await store.insert_segment(
        conn,
        org_id,
        name=clean_name(name),
        kind="dynamic",
        condition=await _checked(conn, org_id, condition, now, own=None),
        description=_description(description),
    )
    await live.rule_written(conn, org_id, segment_id, now)
    return await get(conn, org_id, segment_id)


async def change(
    conn: Connection,
    org_id: int,
    segment_id: int,
    now: datetime,
    *,
    name: str | UnsetType = UNSET,
    description: str | UnsetType | None = UNSET,
    condition: Any = UNSET,
    tags: Sequence[str] | UnsetType = UNSET,
) -> SegmentRow:
    """Changes what is given. Raises NotFound, Invalid, and Conflict: another list has the name, or the segment
    belongs to a subscription category, whose name it shares (product 4)."""
    await store.lock_rules(conn, org_id)
    found = await get(conn, org_id, segment_id)
    if name is not UNSET and clean_name(name) != found.name:
        await _refuse_category(conn, org_id, segment_id)
        found = found._replace(name=clean_name(name))
    if description is not UNSET:
        found = found._replace(description=_description(description))
    if tags is not UNSET:
        found = found._replace(tags=clean_tags("tags", tags))
    if condition is not UNSET:
        if found.kind != "dynamic":
            raise Invalid.of("condition", "", "is not taken by a list")
        found = found._replace(condition=await _checked(conn, org_id, condition, now, own=segment_id))
    await store.update_segment(conn, org_id, found)
    if condition is not UNSET:
        await live.rule_written(conn, org_id, segment_id, now)
    return await get(conn, org_id, segment_id)


async def delete(conn: Connection, org_id: int, segment_id: int, now: datetime) -> None:
    """Deletes a segment; its people stay. Raises NotFound, and Conflict while something is built on it: a
    subscription category, another segment, a campaign that is still to be launched."""
    await store.lock_rules(conn, org_id)
    found = await get(conn, org_id, segment_id)
    await _refuse_category(conn, org_id, segment_id)
    for other in await store.dynamic_segments(conn, org_id):
        if other.segment_id != segment_id and segment_id in names(
            parse_stored(other.condition or ""), "segment"
        ):
            raise Conflict(f"segment {segment_id} is named by the condition of segment {other.segment_id}")
    if (campaign_id := await store.open_campaign_with(conn, org_id, segment_id)) is not None:
        raise Conflict(
            f"segment {segment_id} is used by campaign {campaign_id}, which is still to be launched"
        )
    await store.delete_segment(conn, org_id, segment_id)
    if found.kind == "dynamic":
        await live.rule_gone(conn, org_id, segment_id, now)


def clean_name(name: str) -> str:
    """Raises Invalid for a blank or too long one."""
    cleaned = clean_or_none(name)
    if cleaned is None or len(cleaned) > MAX_NAME:
        raise Invalid.of("name", name, f"must have 1 to {MAX_NAME} characters")
    return cleaned


def _description(text: str | None) -> str:
    cleaned = clean_lines_or_none(text) or ""
    if len(cleaned) > MAX_DESCRIPTION:
        raise Invalid.of("description", cleaned, f"must not have more than {MAX_DESCRIPTION} characters")
    return cleaned


async def _checked(conn: Connection, org_id: int, condition: Any, now: datetime, own: int | None) -> str:
    """The text to store. Writers of rules take turns, so that no two of them close a circle together."""
    tree = read(condition)
    await store.lock_rules(conn, org_id)
    await read_tree(conn, org_id, tree, now, strict=True, own=own)
    return dump(tree)


async def _refuse_category(conn: Connection, org_id: int, segment_id: int) -> None:
    key = await store.category_of_segment(conn, org_id, segment_id)
    if key is not None:
        raise Conflict(f"segment {segment_id} belongs to the subscription category '{key}'")
