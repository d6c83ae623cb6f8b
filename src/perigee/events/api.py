"""/api/v4/event-types, /api/v4/events, /api/v4/event-errors and the history of a contact."""

from __future__ import annotations

from datetime import UTC, datetime

from perigee.errors import Invalid
from perigee.events import refused, store
from perigee.events.bulk import clean_bulk, post_bulk
from perigee.events.history import Place, days, figures, history, look, period
from perigee.events.manage import create_type, delete_type, get_type, update_type
from perigee.events.types import (
    BulkEvents,
    BulkResult,
    EventErrorRow,
    EventFilter,
    EventRow,
    EventTypeFigures,
    EventTypeNew,
    EventTypeRow,
    EventTypeUpdate,
    HistoryRow,
    TypeDay,
)
from perigee.http.operation import bulk_limit
from perigee.http.v4 import PAGE, Call, Created, Page, Query, Right, cursor_page, operation, page_limit
from perigee.lib.dates import parse_moment
from perigee.lib.text import clean_lines

PERIOD = (
    Query("from", str, "first moment, a date or a date and time; UTC unless it has its zone"),
    Query("to", str, "the moment it ends before, the same; usually now"),
)
TYPE = Query("event_type_id", int, "only of this type")


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


@operation(
    "POST",
    "/event-types",
    right=Right.FULL,
    body=EventTypeNew,
    answer={201: EventTypeRow},
    example={
        "key": "courseFinished",
        "name": "Course finished",
        "category": "other",
        "validate_params": True,
        "params": [{"name": "course", "required": True, "type": "text"}],
    },
    refusals=(409,),
)
async def create_event_type(call: Call) -> Created:
    """Make an event type. An event with an unknown key makes one by itself."""
    wanted = await call.json(EventTypeNew)
    async with call.context.database.transaction() as conn:
        return Created(await create_type(conn, call.org_id, wanted))


@operation("DELETE", "/event-types/{event_type_id:int}", right=Right.FULL, answer=None, refusals=(404,))
async def delete_event_type(call: Call) -> None:
    """Delete an event type with its history, which goes in the background."""
    async with call.context.database.transaction() as conn:
        await delete_type(conn, call.org_id, call.path["event_type_id"])


@operation("GET", "/event-figures", right=Right.FULL, answer=Page[EventTypeFigures])
async def event_figures(call: Call) -> Page:
    """Every type's last 30 days: events, contacts not found, refused ones, and whether the volume falls."""
    async with call.context.database.connection() as conn:
        return Page(await figures(conn, call.org_id, call.context.now()))


@operation(
    "GET",
    "/event-types/{event_type_id:int}/days",
    right=Right.FULL,
    answer=Page[TypeDay],
    query=PERIOD,
    refusals=(404,),
)
async def event_type_days(call: Call) -> Page:
    """A type day by day of the organisation's zone: 30 days unless said, 92 at most."""
    first, last = period(_moment(call, "from"), _moment(call, "to"), call.context.now())
    async with call.context.database.connection() as conn:
        return Page(await days(conn, call.org_id, call.path["event_type_id"], first, last))


@operation(
    "GET",
    "/events",
    right=Right.FULL,
    answer=Page[HistoryRow],
    query=(
        *PERIOD,
        TYPE,
        Query("contact_id", int, "only of this contact; then the period may be of any length"),
        Query("param", str, "only with this parameter"),
        Query("value", str, "whose value, as text, is this"),
        *PAGE,
    ),
)
async def list_events(call: Call) -> Page:
    """What happened, newest first: the last 30 days, or a period of up to 92."""
    contact_id = _number(call, "contact_id")
    first, last = _moment(call, "from"), _moment(call, "to")
    if contact_id is None:
        first, last = period(first, last, call.context.now())
    param, value = (
        None if (text := call.query.get(name)) is None else clean_lines(text) for name in ("param", "value")
    )
    if value is not None and param is None:
        raise Invalid("param: must be given with value", field="param")
    wanted = EventFilter(first, last, _number(call, "event_type_id"), contact_id, param, value)
    behind, limit = Place.parse(call.query.get("cursor")), page_limit(call)
    async with call.context.database.connection() as conn:
        rows, end = await look(conn, call.org_id, wanted, behind, limit)
    page = Page(rows)
    if end is not None:
        page.next = end.text()
    return page


@operation(
    "POST",
    "/events",
    right=Right.FULL,
    body=BulkEvents,
    answer=BulkResult,
    body_limit=bulk_limit,
    example={
        "events": [
            {
                "type_key": "courseFinished",
                "occurred_at": "2026-03-22T14:30:00Z",
                "params": {"email": "anna@example.com", "course": "Pottery"},
            }
        ]
    },
)
async def record_events(call: Call) -> BulkResult:
    """Record up to 3,000 events; those that break a rule come back by their index, the others are stored.

    A contact that nobody knows is made where the event has an identifier and its type is used for segments.
    """
    body = await call.json(BulkEvents)
    settings = call.context.settings
    if len(body.events) > settings.max_events_per_call:
        raise Invalid(
            f"events: {len(body.events)} events are more than {settings.max_events_per_call}, the most for one call",
            field="events",
        )
    now = call.context.now()
    events = [clean_bulk(event, now=now, days=settings.past_event_days) for event in body.events]
    async with call.context.database.transaction() as conn:
        left_out = await post_bulk(conn, call.org_id, events)
    return BulkResult(len(events) - len(left_out), left_out)


@operation("GET", "/event-errors", right=Right.FULL, answer=Page[EventErrorRow], query=(TYPE, *PAGE))
async def list_event_errors(call: Call) -> Page:
    """Events of the last 30 days that were refused, newest first, with the reason."""
    before, limit = cursor_page(call)
    async with call.context.database.connection() as conn:
        rows = await refused.listed(
            conn, call.org_id, event_type_id=_number(call, "event_type_id"), before=before, limit=limit + 1
        )
    page = Page(rows[:limit])
    if len(rows) > limit:
        page.next = str(rows[limit - 1].error_id)
    return page


def _number(call: Call, name: str) -> int | None:
    text = call.query.get(name)
    if not text:
        return None
    if not text.isdecimal() or len(text) > 18:
        raise Invalid.of(name, text, "must be a number")
    return int(text)


def _moment(call: Call, name: str) -> datetime | None:
    text = call.query.get(name)
    if not text:
        return None
    moment = parse_moment(text, UTC)
    if moment is None:
        raise Invalid.of(name, text, "must be a date, or a date and time")
    return moment
