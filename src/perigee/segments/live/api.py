"""/api/v4: what is kept of dynamic segments."""

from __future__ import annotations

from datetime import timedelta

from perigee.contacts.read import not_found
from perigee.db.pool import Connection
from perigee.errors import Invalid
from perigee.http.v4 import PAGE, Call, Page, Query, Right, cursor_page, operation
from perigee.segments import manage
from perigee.segments import store as segments
from perigee.segments.live import requests, store
from perigee.segments.live.types import Change, ContactSegments, Growth
from perigee.segments.types import Segment

DAYS, MOST_DAYS = 30, 3650


@operation("POST", "/segments/{segment_id:int}/recalculate", answer=Segment)
async def recalculate_segment(call: Call) -> Segment:
    """Have a dynamic segment worked out anew; the answer's `live` says how far it is."""
    segment_id = call.path["segment_id"]
    async with call.context.database.transaction() as conn:
        await _dynamic(call, conn, segment_id)
        await requests.recalculate(conn, call.org_id, segment_id, call.context.now())
        return await manage.show(conn, call.org_id, segment_id)


@operation(
    "GET",
    "/segments/{segment_id:int}/growth",
    right=Right.CONTACT_READ,
    answer=Growth,
    query=(Query("days", int, "how many days up to today, 1 to 3650", default=DAYS),),
)
async def get_segment_growth(call: Call) -> Growth:
    """Show a dynamic segment's people day by day, oldest first; days on which nothing was counted are left out."""
    segment_id, days = call.path["segment_id"], _days(call.query.get("days"))
    async with call.context.database.connection() as conn:
        await manage.get(conn, call.org_id, segment_id)
        today = await manage.today(conn, call.org_id, call.context.now())
        first = today - timedelta(days=days - 1)
        return Growth(await store.growth(conn, call.org_id, segment_id, first, today))


@operation(
    "GET",
    "/segments/{segment_id:int}/changes",
    right=Right.CONTACT_READ,
    answer=Page[Change],
    query=PAGE,
)
async def list_segment_changes(call: Call) -> Page:
    """List who came into a dynamic segment and who left it, oldest first."""
    segment_id = call.path["segment_id"]
    after, limit = cursor_page(call)
    async with call.context.database.connection() as conn:
        await manage.get(conn, call.org_id, segment_id)
        found = await store.changes(conn, call.org_id, segment_id, after=after, rows=limit + 1)
    page = Page(found[:limit])
    if len(found) > limit:
        page.next = str(found[limit - 1].change_id)
    return page


@operation("GET", "/contacts/{contact_id:int}/segments", right=Right.CONTACT_READ, answer=ContactSegments)
async def list_contact_segments(call: Call) -> ContactSegments:
    """List the dynamic segments that a contact is in, by id."""
    contact_id = call.path["contact_id"]
    async with call.context.database.connection() as conn:
        if not await segments.contact_exists(conn, call.org_id, contact_id):
            raise not_found(contact_id)
        return ContactSegments(await store.segments_of_contact(conn, call.org_id, contact_id))


async def _dynamic(call: Call, conn: Connection, segment_id: int) -> None:
    found = await manage.get(conn, call.org_id, segment_id)
    if found.kind != "dynamic":
        raise Invalid.of("segment_id", segment_id, "is a list; only dynamic segments are worked out")


def _days(given: str | None) -> int:
    if not given:
        return DAYS
    if not (given.isascii() and given.isdecimal() and len(given) < 6 and 1 <= int(given) <= MOST_DAYS):
        raise Invalid.of("days", given, f"must be a whole number from 1 to {MOST_DAYS}")
    return int(given)
