"""/api/v4/segments."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec

from perigee.contacts.read import contacts as read_contacts
from perigee.contacts.types import Contact
from perigee.db.pool import Connection
from perigee.errors import Invalid
from perigee.http.v4 import PAGE, Call, Created, Page, Query, Right, cursor_page, operation
from perigee.lib.scalars import to_bool
from perigee.lib.text import clean_or_none
from perigee.segments import actions, manage, people, static, store
from perigee.segments.conditions import read
from perigee.segments.explain import Explained
from perigee.segments.limits import Limits
from perigee.segments.static import People
from perigee.segments.types import Count, Preview, Segment, SegmentCreate, SegmentUpdate

Rows = Annotated[int, msgspec.Meta(ge=0, le=100)]


class PreviewRequest(msgspec.Struct, forbid_unknown_fields=True):
    condition: Any
    rows: Rows = 10


class ExplainRequest(msgspec.Struct, forbid_unknown_fields=True):
    condition: Any
    contact_id: int


class MembersChange(msgspec.Struct, forbid_unknown_fields=True):
    """At most 500 people in all; unknown ones are skipped."""

    contact_ids: list[int] = []
    external_ids: list[str] = []


class Attached(msgspec.Struct):
    attached: int


class Detached(msgspec.Struct):
    detached: int


@operation(
    "GET",
    "/segments",
    right=Right.CONTACT_READ,
    answer=Page[Segment],
    query=(
        Query("name", str, "part of the name"),
        Query("tag", str, "a tag they have"),
        *PAGE,
    ),
)
async def list_segments(call: Call) -> Page:
    """List segments by id; `name` is a part of their names, `tag` one of their tags."""
    after, limit = cursor_page(call)
    part, tag = (clean_or_none(call.query.get(name)) for name in ("name", "tag"))
    async with call.context.database.connection() as conn:
        rows = await store.list_segments(
            conn, call.org_id, part=part, tag=tag, after=after, skip=0, rows=limit + 1
        )
        found = Page(await manage.shown(conn, call.org_id, rows[:limit]))
    if len(rows) > limit:
        found.next = str(rows[limit - 1].segment_id)
    return found


@operation(
    "POST",
    "/segments",
    body=SegmentCreate,
    answer=Segment,
    example={
        "name": "Buyers",
        "condition": {"is": "orders", "measure": "count", "test": {"op": "at_least", "value": 2}},
        "description": "Bought twice",
    },
    refusals=(409,),
)
async def create_segment(call: Call) -> Created:
    """Create a list or, with a condition, a dynamic segment."""
    given = await call.json(SegmentCreate)
    async with call.context.database.transaction() as conn:
        if given.condition is None:
            row = await manage.create_list(conn, call.org_id, given.name, given.description)
        else:
            row = await manage.create_dynamic(
                conn, call.org_id, given.name, given.condition, call.context.now(), given.description
            )
        if given.tags:
            row = await manage.change(conn, call.org_id, row.segment_id, call.context.now(), tags=given.tags)
        return Created(await manage.show(conn, call.org_id, row.segment_id))


@operation("GET", "/segments/{segment_id:int}", right=Right.CONTACT_READ, answer=Segment)
async def get_segment(call: Call) -> Segment:
    """Read a segment."""
    async with call.context.database.connection() as conn:
        return await manage.show(conn, call.org_id, call.path["segment_id"])


@operation(
    "PATCH",
    "/segments/{segment_id:int}",
    body=SegmentUpdate,
    answer=Segment,
    example={"name": "Loyal buyers"},
    refusals=(409,),
)
async def update_segment(call: Call) -> Segment:
    """Change a segment's name, description, tags or condition."""
    given = await call.json(SegmentUpdate)
    async with call.context.database.transaction() as conn:
        await manage.change(
            conn,
            call.org_id,
            call.path["segment_id"],
            call.context.now(),
            name=given.name,
            description=given.description,
            condition=given.condition,
            tags=given.tags,
        )
        return await manage.show(conn, call.org_id, call.path["segment_id"])


@operation(
    "DELETE",
    "/segments/{segment_id:int}",
    query=(Query("contacts", bool, "delete its people, too, so that they can be restored", default=False),),
    refusals=(409,),
)
async def delete_segment(call: Call) -> None:
    """Delete a segment; its people stay, unless `contacts=true` deletes them softly."""
    segment_id, now = call.path["segment_id"], call.context.now()
    async with call.context.database.transaction() as conn:
        if to_bool("contacts", call.query.get("contacts")):
            await actions.delete_people(conn, call.org_id, segment_id, now)
        await manage.delete(conn, call.org_id, segment_id, now)


@operation(
    "POST",
    "/segments/preview",
    right=Right.CONTACT_READ,
    body=PreviewRequest,
    answer=Preview,
    example={
        "condition": {"is": "orders", "measure": "count", "test": {"op": "at_least", "value": 2}},
        "rows": 5,
    },
)
async def preview_condition(call: Call) -> Preview:
    """Count and sample the people of a condition."""
    given = await call.json(PreviewRequest)
    now = call.context.now()
    async with call.context.database.connection() as conn:
        found = await people.preview(
            conn, call.org_id, read(given.condition), now, rows=given.rows, limits=_limits(call)
        )
        return await _preview(conn, call.org_id, found, now)


@operation("GET", "/segments/{segment_id:int}/preview", right=Right.CONTACT_READ, answer=Preview)
async def preview_segment(call: Call) -> Preview:
    """Count and sample the people of a segment."""
    now = call.context.now()
    async with call.context.database.connection() as conn:
        found = await people.preview_segment(
            conn, call.org_id, call.path["segment_id"], now, limits=_limits(call)
        )
        return await _preview(conn, call.org_id, found, now)


@operation("GET", "/segments/{segment_id:int}/count", right=Right.CONTACT_READ, answer=Count)
async def count_segment(call: Call) -> Count:
    """Count the people of a segment."""
    now = call.context.now()
    async with call.context.database.connection() as conn:
        return Count(
            await people.count(conn, call.org_id, call.path["segment_id"], now, limits=_limits(call)), now
        )


@operation(
    "POST",
    "/segments/explain",
    right=Right.CONTACT_READ,
    body=ExplainRequest,
    answer=Explained,
    example={
        "condition": {"is": "orders", "measure": "count", "test": {"op": "at_least", "value": 2}},
        "contact_id": 1,
    },
    refusals=(404,),
)
async def explain_condition(call: Call) -> Explained:
    """Say why a contact is in a condition or not."""
    given = await call.json(ExplainRequest)
    async with call.context.database.connection() as conn:
        return await people.explain_tree(
            conn, call.org_id, read(given.condition), given.contact_id, call.context.now()
        )


@operation(
    "GET", "/segments/{segment_id:int}/explain/{contact_id:int}", right=Right.CONTACT_READ, answer=Explained
)
async def explain_segment(call: Call) -> Explained:
    """Say why a contact is in a segment or not."""
    async with call.context.database.connection() as conn:
        return await people.explain_segment(
            conn, call.org_id, call.path["segment_id"], call.path["contact_id"], call.context.now()
        )


@operation(
    "GET", "/segments/{segment_id:int}/members", right=Right.CONTACT_READ, answer=Page[Contact], query=PAGE
)
async def list_members(call: Call) -> Page:
    """List the people of a segment, by id."""
    after, limit = cursor_page(call)
    async with call.context.database.connection() as conn:
        ids = await people.members(
            conn,
            call.org_id,
            call.path["segment_id"],
            call.context.now(),
            rows=limit + 1,
            after=after,
            limits=_limits(call),
        )
        found = Page(await read_contacts(conn, call.org_id, ids[:limit]))
    if len(ids) > limit:
        found.next = str(ids[limit - 1])
    return found


@operation(
    "POST",
    "/segments/{segment_id:int}/members",
    right=Right.CONTACT_UPDATE,
    body=MembersChange,
    answer=Attached,
    example={"contact_ids": [1, 2]},
)
async def attach_members(call: Call) -> Attached:
    """Add people to a list; says how many are new in it."""
    given = await _named(call)
    most = call.context.settings.max_ids_per_call
    async with call.context.database.transaction() as conn:
        return Attached(await static.attach(conn, call.org_id, call.path["segment_id"], given, most=most))


@operation(
    "POST",
    "/segments/{segment_id:int}/members/remove",
    right=Right.CONTACT_UPDATE,
    body=MembersChange,
    answer=Detached,
    example={"external_ids": ["CRM-1001"]},
)
async def detach_members(call: Call) -> Detached:
    """Take people out of a list; says how many were in it. Nobody named takes nobody out."""
    given = await _named(call)
    most = call.context.settings.max_ids_per_call
    async with call.context.database.transaction() as conn:
        return Detached(await static.detach(conn, call.org_id, call.path["segment_id"], given, most=most))


@operation("POST", "/segments/{segment_id:int}/empty", right=Right.CONTACT_UPDATE, answer=Detached)
async def empty_segment(call: Call) -> Detached:
    """Take everybody out of a list; the people stay."""
    async with call.context.database.transaction() as conn:
        return Detached(await static.empty(conn, call.org_id, call.path["segment_id"]))


async def _named(call: Call) -> People:
    given = await call.json(MembersChange)
    external = [clean_or_none(value) for value in given.external_ids]
    if None in external:
        raise Invalid.of(f"external_ids[{external.index(None)}]", "", "must not be blank")
    return People(given.contact_ids, [value for value in external if value is not None])


async def _preview(conn: Connection, org_id: int, found: people.Preview, now: datetime) -> Preview:
    return Preview(found.total, await read_contacts(conn, org_id, found.sample), now)


def _limits(call: Call) -> Limits:
    return Limits.of(call.context.settings)
