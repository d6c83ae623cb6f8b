"""/api/v4/segments: split, copy, tags."""

from __future__ import annotations

from typing import Annotated

import msgspec

from perigee.http.v4 import Call, Created, operation
from perigee.segments import actions, manage, tags
from perigee.segments.actions import Part
from perigee.segments.types import Segment


class SplitPart(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    percent: float | None = None


class SplitRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Two or three parts, each a new list; with `percent` in all of them, 100 together, or even."""

    parts: list[SplitPart]


class SplitList(msgspec.Struct):
    segment_id: int
    name: str
    count: int


class SegmentCopy(msgspec.Struct, forbid_unknown_fields=True):
    """Without a name it is *Copy of …*."""

    name: str | None = None


class SegmentTags(msgspec.Struct, forbid_unknown_fields=True):
    """Up to 500 segments; unknown ones are skipped. A tag has up to 50 characters and no special signs."""

    segment_ids: Annotated[list[int], msgspec.Meta(min_length=1, max_length=500)]
    add: list[str] = []
    remove: list[str] = []


class SegmentsTagged(msgspec.Struct):
    segments: int


@operation(
    "POST",
    "/segments/{segment_id:int}/split",
    body=SplitRequest,
    answer=list[SplitList],
    example={"parts": [{"name": "Half A", "percent": 30}, {"name": "Half B", "percent": 70}]},
    refusals=(409,),
)
async def split_segment(call: Call) -> Created:
    """Split the people of a segment by chance into two or three new lists; the segment stays."""
    given = await call.json(SplitRequest)
    parts = [Part(part.name, part.percent) for part in given.parts]
    async with call.context.database.transaction() as conn:
        made = await actions.split(conn, call.org_id, call.path["segment_id"], parts, call.context.now())
    return Created([SplitList(row.segment_id, row.name, count) for row, count in made])


@operation(
    "POST",
    "/segments/{segment_id:int}/copy",
    body=SegmentCopy,
    answer=Segment,
    example={"name": "Loyal buyers, stricter"},
    refusals=(409,),
)
async def copy_segment(call: Call) -> Created:
    """Copy a dynamic segment with its condition, description and tags."""
    given = await call.json(SegmentCopy, optional=True)
    async with call.context.database.transaction() as conn:
        made = await actions.copy(conn, call.org_id, call.path["segment_id"], given.name, call.context.now())
        return Created(await manage.show(conn, call.org_id, made.segment_id))


@operation(
    "POST",
    "/segments/tags",
    body=SegmentTags,
    answer=SegmentsTagged,
    example={"segment_ids": [200001], "add": ["loyal"], "remove": ["test"]},
)
async def change_segment_tags(call: Call) -> SegmentsTagged:
    """Add tags to segments and take others away; says how many segments there were."""
    given = await call.json(SegmentTags)
    async with call.context.database.transaction() as conn:
        return SegmentsTagged(
            await tags.change(conn, call.org_id, given.segment_ids, add=given.add, remove=given.remove)
        )
