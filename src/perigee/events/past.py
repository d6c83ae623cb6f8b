"""Events that happened before: kept for segments, start nothing (contract 16.4–16.7)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from perigee.db import plans
from perigee.db.pool import Connection
from perigee.errors import Invalid
from perigee.events import store
from perigee.events.identify import identify
from perigee.events.intake import CleanEvent, EventIn, clean
from perigee.events.people import find
from perigee.events.record import record
from perigee.events.types import NewEvent
from perigee.events.types_registry import ensure_types
from perigee.lib.dates import parse_moment, to_moment
from perigee.lib.scalars import to_text

SOURCE = "past"


class Status(StrEnum):
    """What became of one past event; the words of the wire."""

    ACCEPTED = "ACCEPTED"
    NO_DATE = "OCCURRED_DATE_IS_REQUIRED"
    BAD_DATE = "INCORRECT_OCCURRED_DATE_FORMAT"
    TOO_OLD = "OCCURRED_TIME_TOO_DEPTH"
    FUTURE = "OCCURRED_TIME_IN_FUTURE"
    NOT_FOR_SEGMENTS = "EVENT_SEGMENTATION_DISABLED"
    MALFORMED = "SERVER_ERROR"
    """The wire has no word for an event without a key or with a bad parameter; `message` says what it is."""


class PastEventIn(EventIn, rename="camel"):
    occurred: Any = None


class PastEventsIn(msgspec.Struct):
    """Body of POST past_events."""

    events: list[Any]


_ISO = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
"""How `occurred` begins; other spellings of dates are for fields of contacts (contract 16.4)."""


class PastEvent(NamedTuple):
    event: CleanEvent
    occurred_at: datetime


class Refusal(NamedTuple):
    status: Status
    message: str | None = None


def clean_past(given: Any, version: int, *, zone: tzinfo, now: datetime, days: int) -> PastEvent | Refusal:
    """`days`: how old an event may be. Dates without an offset are in `zone`. Pure."""
    try:
        wire = msgspec.convert(given, PastEventIn)
        occurred = to_text("occurred", wire.occurred)
        event = clean(wire, version)
    except msgspec.ValidationError:
        return Refusal(Status.MALFORMED, "event: is not an object")
    except Invalid as error:
        return Refusal(Status.MALFORMED, error.message)
    if event.event_key is None:
        return Refusal(Status.MALFORMED, "keyValue: is required")
    if occurred is None:
        return Refusal(Status.NO_DATE)
    moment = parse_moment(occurred, zone) if _ISO.match(occurred) else None
    if moment is None:
        return Refusal(Status.BAD_DATE)
    if moment > now:
        return Refusal(Status.FUTURE)
    if moment < now - timedelta(days=days):
        return Refusal(Status.TOO_OLD)
    return PastEvent(event, moment)


async def record_past(
    conn: Connection, org_id: int, events: Sequence[PastEvent | Refusal]
) -> list[Refusal | None]:
    """Records the good ones; None per event = accepted. Contacts are found, not made: they should exist already."""
    results = [event if isinstance(event, Refusal) else None for event in events]
    given = [(index, event) for index, event in enumerate(events) if isinstance(event, PastEvent)]
    if not given:
        return results
    await plans.by_key(conn)
    types = await ensure_types(conn, org_id, {past.event.type_key for _, past in given})
    good: list[PastEvent] = []
    for index, past in given:
        kind = types[past.event.type_key]
        if not kind.use_for_segments:
            results[index] = Refusal(Status.NOT_FOR_SEGMENTS)
        elif kind.contact_param is not None:
            who = identify(past.event.params, kind.contact_param)
            good.append(past._replace(event=past.event._replace(who=who)))
        else:
            good.append(past)
    people = await find(conn, org_id, [past.event.who for past in good], narrow=True)
    await record(
        conn,
        org_id,
        [
            NewEvent(
                past.event.type_key,
                past.event.event_key,
                person.contact_id if person else None,
                past.occurred_at,
                past.event.params,
                SOURCE,
            )
            for past, person in zip(good, people, strict=True)
        ],
        types=types,
    )
    return results


_TO_MINUTE = re.compile(r".*[T ]\d\d:\d\d", re.ASCII)
_DATE_ONLY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def period(first: Any, last: Any, zone: tzinfo) -> tuple[datetime, datetime]:
    """[first, end) of a period whose ends are both included: the last day, minute or second counts whole. Pure.

    Raises Invalid: an end is missing or no date, or they are the wrong way round.
    """
    start, end = _end("from", first, zone), _end("to", last, zone)
    if start > end:
        raise Invalid.of("from", first, f"is after to: '{last}'")
    text = str(last).strip()
    if _DATE_ONLY.fullmatch(text):
        end = (end.astimezone(zone) + timedelta(days=1)).astimezone(UTC)
    else:
        end += timedelta(minutes=1) if _TO_MINUTE.fullmatch(text) else timedelta(seconds=1)
    return start, end


def _end(field: str, value: Any, zone: tzinfo) -> datetime:
    moment = to_moment(field, to_text(field, value), zone)
    if moment is None:
        raise Invalid(f"{field}: is required", field=field)
    return moment


async def delete_past(conn: Connection, org_id: int, first: datetime, end: datetime) -> int:
    """Deletes the past events of [first, end), not those recorded as they happened. How many went."""
    return await store.delete_events(conn, org_id, first, end, SOURCE)
