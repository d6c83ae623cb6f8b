"""Event types as people manage them, and what a contact did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from perigee.db.pool import Connection
from perigee.errors import Invalid, NotFound
from perigee.events import store
from perigee.events.keys import PARAMETER_LENGTH
from perigee.events.types import EventParameter, EventRow, EventTypeRow, EventTypeUpdate
from perigee.lib import json_edge
from perigee.lib.scalars import to_text

CATEGORIES = ("click", "subscribe", "rfm", "import", "notification", "other")
MAX_PARAMETERS = 100
NAME_LENGTH = 100


async def update_type(
    conn: Connection, org_id: int, event_type_id: int, wanted: EventTypeUpdate
) -> EventTypeRow:
    """Raises Invalid and NotFound."""
    if wanted.category is not msgspec.UNSET and wanted.category not in CATEGORIES:
        raise Invalid.of("category", wanted.category, "must be one of " + ", ".join(CATEGORIES))
    changed = await store.update_event_type(
        conn,
        org_id,
        event_type_id,
        name=_text("name", wanted.name, NAME_LENGTH),
        category=_given(wanted.category),
        use_for_segments=_given(wanted.use_for_segments),
        validate_params=_given(wanted.validate_params),
        params=None if wanted.params is msgspec.UNSET else _parameters(wanted.params),
        contact_param=""
        if wanted.contact_param is None
        else _text("contact_param", wanted.contact_param, PARAMETER_LENGTH),
    )
    if not changed:
        raise NotFound(f"Event type {event_type_id} is not found")
    return await get_type(conn, org_id, event_type_id)


async def get_type(conn: Connection, org_id: int, event_type_id: int) -> EventTypeRow:
    found = await store.get_event_type(conn, org_id, event_type_id)
    if found is None:
        raise NotFound(f"Event type {event_type_id} is not found")
    return found


def _given(value: object) -> object:
    return None if value is msgspec.UNSET else value


def _text(field: str, value: str | msgspec.UnsetType, limit: int) -> str | None:
    if value is msgspec.UNSET:
        return None
    text = to_text(field, value, limit=limit)
    if text is None:
        raise Invalid(f"{field}: must not be empty", field=field)
    return text


def _parameters(params: list[EventParameter]) -> str:
    """JSON text, names cleaned."""
    if len(params) > MAX_PARAMETERS:
        raise Invalid(f"params: {len(params)} parameters are more than {MAX_PARAMETERS}", field="params")
    names = [_text("params.name", one.name, PARAMETER_LENGTH) or "" for one in params]
    if len(set(names)) < len(names):
        raise Invalid("params: a name is given twice", field="params")
    return json_edge.encode(
        [EventParameter(name, one.required) for name, one in zip(names, params, strict=True)]
    ).decode()


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
