"""/api/v4/event-types and the history of a contact."""

from __future__ import annotations

from perigee.events import store
from perigee.events.manage import Place, get_type, history, update_type
from perigee.events.types import EventRow, EventTypeRow, EventTypeUpdate
from perigee.http.v4 import PAGE, Call, Page, Right, cursor_page, operation, page_limit


@operation("GET", "/event-types", right=Right.FULL, answer=Page[EventTypeRow], query=PAGE)
async def list_event_types(call: Call) -> Page:
    """List event types, oldest first."""
    behind, limit = cursor_page(call)
    async with call.context.database.connection() as conn:
        rows = await store.list_event_types(conn, call.org_id, behind=behind, limit=limit + 1)
    page = Page(rows[:limit])
    if len(rows) > limit:
        page.next = str(rows[limit - 1].event_type_id)
    return page


@operation("GET", "/event-types/{event_type_id:int}", right=Right.FULL, answer=EventTypeRow)
async def get_event_type(call: Call) -> EventTypeRow:
    """Read an event type."""
    async with call.context.database.connection() as conn:
        return await get_type(conn, call.org_id, call.path["event_type_id"])


@operation(
    "PATCH",
    "/event-types/{event_type_id:int}",
    right=Right.FULL,
    body=EventTypeUpdate,
    answer=EventTypeRow,
    example={"name": "Order shipped", "use_for_segments": True},
)
async def update_event_type(call: Call) -> EventTypeRow:
    """Change an event type: its name, category, use for segments, validation, contact parameter."""
    wanted = await call.json(EventTypeUpdate)
    async with call.context.database.transaction() as conn:
        return await update_type(conn, call.org_id, call.path["event_type_id"], wanted)


@operation("GET", "/contacts/{contact_id:int}/events", right=Right.FULL, answer=Page[EventRow], query=PAGE)
async def list_contact_events(call: Call) -> Page:
    """What a contact did, newest first."""
    behind = Place.parse(call.query.get("cursor"))
    limit = page_limit(call)
    async with call.context.database.connection() as conn:
        rows, last = await history(conn, call.org_id, call.path["contact_id"], behind, limit)
    page = Page(rows)
    if last is not None:
        page.next = last.text()
    return page
