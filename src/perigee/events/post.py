"""Events as they happen, set-wise: `post_events` is what the group commit of POST event applies."""

from __future__ import annotations

from collections.abc import Sequence

from perigee.db import plans
from perigee.db.pool import Connection
from perigee.errors import Invalid, PerigeeError
from perigee.events import store
from perigee.events.identify import derived_key, identify
from perigee.events.intake import CleanEvent
from perigee.events.people import find_or_create
from perigee.events.record import record
from perigee.events.refused import keep
from perigee.events.structure import WrongStructure, fits
from perigee.events.types import EventType, NewEvent, Person
from perigee.events.types_registry import ensure_types
from perigee.orders.from_events import ORDER_EVENTS, apply_order_events


async def post_events(
    conn: Connection, org_id: int, events: Sequence[CleanEvent]
) -> list[PerigeeError | None]:
    """One result per event: None = recorded, or why not (Invalid; WrongStructure where the type validates).
    Refused ones are kept for the errors tab.

    An unknown person becomes a contact where the event says who it is and its type is used for segments (product
    17); an order event only looks for its contact (contract 17.3).
    """
    await plans.by_key(conn)
    types = await store.event_types(conn, org_id, sorted({event.type_key for event in events}))
    checked = [_check(event, types.get(event.type_key)) for event in events]
    good = [event for event in checked if isinstance(event, CleanEvent)]
    refused = [
        (event, one) for event, one in zip(events, checked, strict=True) if not isinstance(one, CleanEvent)
    ]
    await keep(conn, org_id, refused, types)
    if new := {event.type_key for event in good} - types.keys():  # a refused event makes no type
        types |= await ensure_types(conn, org_id, new)
    people = await _people(conn, org_id, good, types)
    await record(
        conn,
        org_id,
        [
            NewEvent(
                event.type_key,
                event.event_key,
                person.contact_id if person else None,
                event.occurred_at,
                event.params,
            )
            for event, person in zip(good, people, strict=True)
        ],
        types=types,
    )
    await apply_order_events(
        conn,
        org_id,
        [(event.type_key, event.params, person) for event, person in zip(good, people, strict=True)],
    )
    return [event if isinstance(event, PerigeeError) else None for event in checked]


def _check(event: CleanEvent, kind: EventType | None) -> CleanEvent | Invalid:
    if kind and kind.validate_params and not fits(kind.params, event.params):
        return WrongStructure(kind.params)
    if kind and kind.contact_param is not None:
        event = event._replace(who=identify(event.params, kind.contact_param))
        event = event._replace(event_key=event.event_key or derived_key(event.who))
    if event.event_key is None:
        return Invalid(
            "keyValue: is required, or one of contactId, externalCustomerId, email, phone, pushToken in params",
            field="keyValue",
        )
    return event


async def _people(
    conn: Connection, org_id: int, events: Sequence[CleanEvent], types: dict[str, EventType]
) -> list[Person | None]:
    wanted = [types[event.type_key].use_for_segments or event.type_key in ORDER_EVENTS for event in events]
    found = iter(
        await find_or_create(
            conn,
            org_id,
            [event.who for event, want in zip(events, wanted, strict=True) if want],
            narrow=True,
            create=[
                event.type_key not in ORDER_EVENTS for event, want in zip(events, wanted, strict=True) if want
            ],
        )
    )
    return [next(found) if want else None for want in wanted]
