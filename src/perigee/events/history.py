"""What happened: pages of events with filters, and figures of a type by day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from perigee.db.pool import Connection
from perigee.errors import Invalid, NotFound
from perigee.events import store
from perigee.events.types import EventFilter, EventRow, EventTypeFigures, HistoryRow, TypeDay

LONGEST = timedelta(days=92)
"""Of a look through everybody's events: they are found by their time."""
USUAL = timedelta(days=30)
ENOUGH = 20
"""Events of a week from which on a fall is no chance."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Place(NamedTuple):
    """Behind which event a page of a history begins; pages go from the newest to the oldest."""

    occurred_at: datetime
    event_id: int

    @classmethod
    def parse(cls, cursor: str | None) -> Place | None:
        """None = the first page. Raises Invalid."""
        if not cursor:
            return None
        micros, _, event_id = cursor.partition(".")
        try:
            if len(cursor) > 40:
                raise ValueError
            return cls(_EPOCH + int(micros) * _MICROSECOND, int(event_id))
        except (ValueError, OverflowError):
            raise Invalid.of("cursor", cursor, "must be a cursor of an earlier page") from None

    def text(self) -> str:
        return f"{(self.occurred_at - _EPOCH) // _MICROSECOND}.{self.event_id}"


def period(first: datetime | None, last: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """[first, last) of a look through everybody's events: the last 30 days unless said. Raises Invalid over 92 days."""
    last = last or now + timedelta(days=1)
    first = first or last - USUAL
    if first >= last:
        raise Invalid.of("from", first.isoformat(), "must be before to")
    if last - first > LONGEST:
        raise Invalid.of(
            "from", first.isoformat(), f"must be at most {LONGEST.days} days before to, without a contact_id"
        )
    return first, last


async def history(
    conn: Connection, org_id: int, contact_id: int, behind: Place | None, limit: int
) -> tuple[list[EventRow], Place | None]:
    """A page of what a contact did, newest first, and where the next one begins. Raises NotFound: no such contact."""
    if not await store.contact_exists(conn, org_id, contact_id):
        raise NotFound(f"Contact {contact_id} is not found")
    rows = await store.contact_events(conn, org_id, contact_id, behind, limit + 1)
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], Place(last.occurred_at, last.event_id)


async def look(
    conn: Connection, org_id: int, wanted: EventFilter, behind: Place | None, limit: int
) -> tuple[list[HistoryRow], Place | None]:
    """A page of the events that a filter takes, newest first, and where the next one begins."""
    rows = await store.find_events(conn, org_id, wanted, behind, limit + 1)
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], Place(last.occurred_at, last.event_id)


async def figures(conn: Connection, org_id: int, now: datetime) -> list[EventTypeFigures]:
    """Of every type: the last 30 days, and whether the last 7 fall far behind the 7 before. Days of 24 hours."""
    return [
        EventTypeFigures(
            type_id, key, total, nobody, refused, week, before, before >= ENOUGH and week * 2 < before
        )
        for type_id, key, total, nobody, refused, week, before in await store.type_figures(conn, org_id, now)
    ]


async def days(
    conn: Connection, org_id: int, event_type_id: int, first: datetime, last: datetime
) -> list[TypeDay]:
    """Day by day of the organisation's zone, those with nothing left out. Raises NotFound: no such type."""
    if await store.get_event_type(conn, org_id, event_type_id) is None:
        raise NotFound(f"Event type {event_type_id} is not found")
    return await store.type_days(conn, org_id, event_type_id, first, last)
