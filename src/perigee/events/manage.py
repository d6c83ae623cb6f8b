"""Event types as people manage them."""

from __future__ import annotations

import msgspec

from perigee.db.pool import Connection
from perigee.errors import Conflict, Invalid, NotFound
from perigee.events import store
from perigee.events.jobs import enqueue_delete_history
from perigee.events.keys import PARAMETER_LENGTH, check_type_key
from perigee.events.types import EventParameter, EventTypeNew, EventTypeRow, EventTypeUpdate
from perigee.lib import json_edge
from perigee.lib.scalars import to_text
from perigee.lib.text import clean_lines

CATEGORIES = ("click", "subscribe", "rfm", "import", "notification", "other")
MAX_PARAMETERS = 100
NAME_LENGTH = 100
DESCRIPTION_LENGTH = 2000


async def update_type(
    conn: Connection, org_id: int, event_type_id: int, wanted: EventTypeUpdate
) -> EventTypeRow:
    """Raises Invalid and NotFound."""
    if wanted.category is not msgspec.UNSET and wanted.category not in CATEGORIES:
        raise Invalid.of("category", wanted.category, "must be one of " + ", ".join(CATEGORIES))
    if wanted.description is not msgspec.UNSET and len(wanted.description) > DESCRIPTION_LENGTH:
        raise Invalid(f"description: is longer than {DESCRIPTION_LENGTH} characters", field="description")
    changed = await store.update_event_type(
        conn,
        org_id,
        event_type_id,
        name=_text("name", wanted.name, NAME_LENGTH),
        category=_given(wanted.category),
        description=None if wanted.description is msgspec.UNSET else clean_lines(wanted.description),
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


async def create_type(conn: Connection, org_id: int, wanted: EventTypeNew) -> EventTypeRow:
    """Raises Invalid, and Conflict: there is a type of this key."""
    key = check_type_key(wanted.key, field="key")
    if not await store.insert_event_types(conn, org_id, [key], "other"):
        raise Conflict(f"There is an event type with the key '{key}' already")
    made = (await store.event_types(conn, org_id, [key]))[key]
    return await update_type(conn, org_id, made.event_type_id, wanted)


async def delete_type(conn: Connection, org_id: int, event_type_id: int) -> None:
    """With its history, which a job deletes, and its errors. Raises NotFound.

    Segments that name it hold for nobody from then on. An event of the same key makes a new type.
    """
    if not await store.delete_event_type(conn, org_id, event_type_id):
        raise NotFound(f"Event type {event_type_id} is not found")
    await enqueue_delete_history(conn, org_id, event_type_id)


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
        [EventParameter(name, one.required, one.type) for name, one in zip(names, params, strict=True)]
    ).decode()
