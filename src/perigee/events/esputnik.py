"""The old wire's methods of events (contract section 16)."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from perigee.errors import Invalid, NotFound
from perigee.esputnik.face import (
    Answer,
    Call,
    Empty,
    PlainText,
    Query,
    Right,
    bulk_limit,
    empty,
    event_limit,
    operation,
    plain,
)
from perigee.events.intake import EventIn, clean
from perigee.events.past import PastEventsIn, Refusal, Status, clean_past, delete_past, period, record_past
from perigee.events.post import post_events
from perigee.events.structure import WrongStructure
from perigee.lib import json_edge


async def _post_event(call: Call, version: int) -> Answer:
    event = clean(await call.json(EventIn), version)
    try:
        await call.context.group_commit(post_events).submit(call.org_id, event)
    except WrongStructure as error:
        if version < 3:
            return plain(error.sentence(), status=400)
        return Answer(json_edge.encode(error.by_name()), status=400)
    return empty()


@operation(
    "POST",
    "/v1/event",
    section="16.1",
    right=Right.EVENTS,
    body=EventIn,
    body_limit=event_limit,
    example={
        "eventTypeKey": "orderShipped",
        "keyValue": "anna@example.com",
        "params": [
            {"name": "EmailAddress", "value": "anna@example.com"},
            {"name": "items", "value": '[{"name":"Mug"}]'},
        ],
    },
    answer={200: Empty, 400: PlainText},
)
async def post_event_v1(call: Call) -> Answer:
    """Record an event; `params` is an array of name and text value."""
    return await _post_event(call, 1)


@operation(
    "POST",
    "/v2/event",
    section="16.2",
    right=Right.EVENTS,
    body=EventIn,
    body_limit=event_limit,
    example={
        "eventTypeKey": "AbandonedCart",
        "params": [
            {"name": "externalCustomerId", "value": "CRM-1001"},
            {
                "name": "items",
                "value": [{"name": "Mug", "price": 9.5, "url": "https://shop.example.com/mug"}],
            },
        ],
    },
    answer={200: Empty, 400: PlainText},
)
async def post_event_v2(call: Call) -> Answer:
    """Record an event; `params` is an array of name and any value."""
    return await _post_event(call, 2)


@operation(
    "POST",
    "/v3/event",
    section="16.3",
    right=Right.EVENTS,
    body=EventIn,
    body_limit=event_limit,
    example={
        "eventTypeKey": "AbandonedCart",
        "params": {
            "externalCustomerId": "CRM-1001",
            "cartId": "C-1",
            "totalValue": 250.75,
            "currency": "EUR",
            "itemCount": 3,
        },
    },
    answer={200: Empty, 400: dict[str, dict[str, Any]]},
)
async def post_event_v3(call: Call) -> Answer:
    """Record an event; `params` is an object."""
    return await _post_event(call, 3)


@operation("GET", "/v1/event", section="16.8", right=Right.EVENTS, answer=Empty, refusals=(404,))
async def resend_events(call: Call) -> Answer:
    """Sending events again: not offered."""
    raise NotFound("events are not sent again")


class PastResult(msgspec.Struct, omit_defaults=True):
    status: str
    message: str | None = None


class PastResults(msgspec.Struct, rename="camel"):
    """One result per event, in order."""

    results: list[PastResult]
    success_count: int
    error_count: int


async def _post_past_events(call: Call, version: int) -> PastResults:
    body = await call.json(PastEventsIn)
    settings = call.context.settings
    if len(body.events) > settings.max_past_events_per_call:
        raise Invalid(
            f"events: {len(body.events)} events are more than {settings.max_past_events_per_call}, "
            "the most for one call",
            field="events",
        )
    zone, now = ZoneInfo(call.principal.time_zone), call.context.now()
    events = [
        clean_past(event, version, zone=zone, now=now, days=settings.past_event_days) for event in body.events
    ]
    async with call.context.database.transaction() as conn:
        refusals = await record_past(conn, call.org_id, events)
    errors = sum(refusal is not None for refusal in refusals)
    return PastResults([_result(refusal) for refusal in refusals], len(refusals) - errors, errors)


def _result(refusal: Refusal | None) -> PastResult:
    return PastResult(Status.ACCEPTED) if refusal is None else PastResult(*refusal)


@operation(
    "POST",
    "/v1/past_events",
    section="16.4",
    right=Right.EVENTS,
    body=PastEventsIn,
    answer=PastResults,
    body_limit=bulk_limit,
    example={
        "events": [
            {
                "eventTypeKey": "lessonDone",
                "keyValue": "anna@example.com",
                "occurred": "2025-03-22T14:30",
                "params": [{"name": "email", "value": "anna@example.com"}],
            }
        ]
    },
    answer_example={
        "results": [{"status": "ACCEPTED"}, {"status": "OCCURRED_TIME_IN_FUTURE"}],
        "successCount": 1,
        "errorCount": 1,
    },
)
async def post_past_events_v1(call: Call) -> PastResults:
    """Record up to 500 events that happened before; they start nothing."""
    return await _post_past_events(call, 1)


@operation(
    "POST",
    "/v2/past_events",
    section="16.5",
    right=Right.EVENTS,
    body=PastEventsIn,
    answer=PastResults,
    body_limit=bulk_limit,
    example={
        "events": [
            {
                "eventTypeKey": "lessonDone",
                "keyValue": "anna@example.com",
                "occurred": "2025-03-22T14:30",
                "params": [{"name": "email", "value": "anna@example.com"}],
            }
        ]
    },
    answer_example={
        "results": [{"status": "ACCEPTED"}, {"status": "OCCURRED_TIME_IN_FUTURE"}],
        "successCount": 1,
        "errorCount": 1,
    },
)
async def post_past_events_v2(call: Call) -> PastResults:
    """Record up to 500 events that happened before; they start nothing."""
    return await _post_past_events(call, 2)


@operation(
    "POST",
    "/v3/past_events",
    section="16.6",
    right=Right.EVENTS,
    body=PastEventsIn,
    answer=PastResults,
    body_limit=bulk_limit,
    example={
        "events": [
            {
                "eventTypeKey": "lessonDone",
                "keyValue": "anna@example.com",
                "occurred": "2025-03-22T14:30",
                "params": {"email": "anna@example.com"},
            }
        ]
    },
    answer_example={
        "results": [{"status": "ACCEPTED"}, {"status": "OCCURRED_TIME_IN_FUTURE"}],
        "successCount": 1,
        "errorCount": 1,
    },
)
async def post_past_events_v3(call: Call) -> PastResults:
    """Record up to 500 events that happened before; they start nothing."""
    return await _post_past_events(call, 3)


class Period(msgspec.Struct):
    """Both ends are included."""

    first: Any = msgspec.field(name="from", default=None)
    last: Any = msgspec.field(name="to", default=None)


@operation(
    "DELETE",
    "/v1/past_events",
    section="16.7",
    right=Right.EVENTS,
    body=Period,
    answer=Empty,
    example={"from": "2025-03-01T00:00", "to": "2025-03-31T23:59"},
    query=(
        Query("from", str, "first moment, where the body is dropped on the way"),
        Query("to", str, "last moment, included"),
    ),
)
async def delete_past_events(call: Call) -> Answer:
    """Delete the past events of a period, given in the body or, for stacks that drop it, in the query."""
    body = await call.json(Any, optional=True)
    asked = {**dict(call.query), **body} if isinstance(body, dict) else call.query
    start, end = period(asked.get("from"), asked.get("to"), ZoneInfo(call.principal.time_zone))
    async with call.context.database.transaction() as conn:
        await delete_past(conn, call.org_id, start, end)
    return empty()
