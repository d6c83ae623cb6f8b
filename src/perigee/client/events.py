"""What contacts did: types of events, history, figures, refused events, many events at once."""

from __future__ import annotations

from collections.abc import Sequence

from perigee.client.pages import cursor_list
from perigee.client.transport import Transport, json, nothing
from perigee.events.types import (
    BulkEvent,
    BulkEvents,
    BulkResult,
    EventErrorRow,
    EventTypeFigures,
    EventTypeNew,
    EventTypeRow,
    EventTypeUpdate,
    HistoryRow,
    TypeDay,
)
from perigee.http.v4 import Page

TYPES = "/api/v4/event-types"


async def list_event_types(transport: Transport, *, limit: int | None = None) -> list[EventTypeRow]:
    """Types of events, oldest first."""
    return await cursor_list(transport, TYPES, EventTypeRow, limit=limit)


async def create_event_type(transport: Transport, wanted: EventTypeNew) -> EventTypeRow:
    """Makes a type; an event with an unknown key makes one by itself."""
    return await transport.call("POST", TYPES, json(EventTypeRow), body=wanted)


async def update_event_type(
    transport: Transport, event_type_id: int, wanted: EventTypeUpdate
) -> EventTypeRow:
    """Changes what is given."""
    return await transport.call("PATCH", f"{TYPES}/{event_type_id}", json(EventTypeRow), body=wanted)


async def delete_event_type(transport: Transport, event_type_id: int) -> None:
    """Deletes a type with its history."""
    await transport.call("DELETE", f"{TYPES}/{event_type_id}", nothing)


async def event_figures(transport: Transport) -> list[EventTypeFigures]:
    """Every type's last 30 days."""
    return list((await transport.call("GET", "/api/v4/event-figures", json(Page[EventTypeFigures]))).items)


async def event_type_days(
    transport: Transport, event_type_id: int, *, start: str | None = None, end: str | None = None
) -> list[TypeDay]:
    """A type day by day; 30 days unless said, 92 at most."""
    path, query = f"{TYPES}/{event_type_id}/days", {"from": start, "to": end}
    return list((await transport.call("GET", path, json(Page[TypeDay]), query=query)).items)


async def list_events(
    transport: Transport,
    *,
    start: str | None = None,
    end: str | None = None,
    event_type_id: int | None = None,
    contact_id: int | None = None,
    param: str | None = None,
    value: str | None = None,
    limit: int | None = None,
) -> list[HistoryRow]:
    """What happened, newest first: the last 30 days, a period of up to 92, or everything of a contact."""
    query = {
        "from": start,
        "to": end,
        "event_type_id": event_type_id,
        "contact_id": contact_id,
        "param": param,
        "value": value,
    }
    return await cursor_list(transport, "/api/v4/events", HistoryRow, limit=limit, **query)


async def record_events(transport: Transport, events: Sequence[BulkEvent]) -> BulkResult:
    """Records up to 3,000 events; those that break a rule come back by their index."""
    return await transport.call("POST", "/api/v4/events", json(BulkResult), body=BulkEvents(list(events)))


async def list_event_errors(
    transport: Transport, *, event_type_id: int | None = None, limit: int | None = None
) -> list[EventErrorRow]:
    """Events of the last 30 days that were refused, newest first."""
    path = "/api/v4/event-errors"
    return await cursor_list(transport, path, EventErrorRow, limit=limit, event_type_id=event_type_id)
