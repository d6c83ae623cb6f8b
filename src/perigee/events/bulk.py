"""Up to some thousand events in one call, each of now or dated; every one is judged for itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from perigee.db.pool import Connection
from perigee.errors import Invalid, PerigeeError
from perigee.events.intake import CleanEvent, EventIn, clean
from perigee.events.post import post_events
from perigee.events.types import BulkEvent, RefusedEvent

AHEAD = timedelta(minutes=5)
"""How far a sender's clock may be ahead of ours."""


def clean_bulk(given: BulkEvent, *, now: datetime, days: int) -> CleanEvent | Invalid:
    """`days`: how old an event may be. Pure."""
    try:
        event = clean(
            EventIn(event_type_key=given.type_key, key_value=given.event_key, params=given.params), 3
        )
        return event._replace(occurred_at=_moment(given.occurred_at, now, days))
    except Invalid as error:
        return error


def _moment(at: datetime | None, now: datetime, days: int) -> datetime | None:
    if at is None:
        return None
    if at.tzinfo is None:
        raise Invalid.of("occurred_at", at.isoformat(), "must have its zone")
    if at > now + AHEAD:
        raise Invalid.of("occurred_at", at.isoformat(), "is in the future")
    if at < now - timedelta(days=days):
        raise Invalid.of("occurred_at", at.isoformat(), f"is more than {days} days ago")
    return at


async def post_bulk(
    conn: Connection, org_id: int, events: Sequence[CleanEvent | Invalid]
) -> list[RefusedEvent]:
    """Records the good ones with one statement for each step; returns the others with their reasons, by index."""
    good = [(index, event) for index, event in enumerate(events) if isinstance(event, CleanEvent)]
    outcomes: list[PerigeeError | None] = [
        event if isinstance(event, PerigeeError) else None for event in events
    ]
    answers = await post_events(conn, org_id, [event for _, event in good]) if good else []
    for (index, _), answer in zip(good, answers, strict=True):
        outcomes[index] = answer
    return [RefusedEvent(index, error.message) for index, error in enumerate(outcomes) if error is not None]
