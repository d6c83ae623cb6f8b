"""Types that cross the borders of this package."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

import msgspec


class NewEvent(NamedTuple):
    """One event to be recorded. `type_key` names its type, which is made when it is not known yet."""

    type_key: str
    event_key: str | None
    contact_id: int | None = None
    occurred_at: datetime | None = None
    """With its zone; None = the moment of the transaction, by the database clock."""
    params: Mapping[str, Any] = {}
    source: str = "api"
    """api, past, order, import, form, tracker …: where it came in."""


class EventParameter(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a type with "validate parameters" on says about one parameter."""

    name: str
    required: bool
    type: Literal["any", "text", "number", "boolean", "date", "array", "object"] = "any"


class EventType(NamedTuple):
    event_type_id: int
    key: str
    use_for_segments: bool
    """Off: events of this type are kept without their contact, and past events of it are refused."""
    validate_params: bool
    params: list[EventParameter]
    contact_param: str | None
    """The parameter that identifies the contact, where it is none of the usual names (contract 16)."""


class Identity(NamedTuple):
    """Who an event or order says it is about; email and phone in their normal forms. Names only go to new contacts."""

    contact_id: int | None = None
    external_id: str | None = None
    email: str | None = None
    phone: str | None = None
    token: str | None = None
    contact_key: str | None = None
    first_name: str | None = None
    last_name: str | None = None


class Person(NamedTuple):
    contact_id: int
    external_id: str | None
    email: str | None
    phone: str | None


class EventTypeRow(msgspec.Struct):
    """An event type as people see and change it."""

    event_type_id: int
    key: str
    name: str
    category: str
    description: str
    use_for_segments: bool
    validate_params: bool
    params: list[EventParameter]
    contact_param: str | None
    created_at: datetime


class EventTypeUpdate(msgspec.Struct, forbid_unknown_fields=True):
    """What is absent stays. `contact_param` null: back to the usual names."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    category: str | msgspec.UnsetType = msgspec.UNSET
    description: str | msgspec.UnsetType = msgspec.UNSET
    use_for_segments: bool | msgspec.UnsetType = msgspec.UNSET
    validate_params: bool | msgspec.UnsetType = msgspec.UNSET
    params: list[EventParameter] | msgspec.UnsetType = msgspec.UNSET
    contact_param: str | msgspec.UnsetType | None = msgspec.UNSET


class EventRow(msgspec.Struct):
    """An event in a contact's history."""

    event_id: int
    type_key: str
    event_key: str | None
    occurred_at: datetime
    params: dict[str, Any]
    source: str


class EventTypeNew(EventTypeUpdate, kw_only=True):
    """A type that is made by hand; without a name it is called by its key."""

    key: str


class HistoryRow(msgspec.Struct):
    """An event among everybody's."""

    event_id: int
    event_type_id: int
    type_key: str
    event_key: str | None
    contact_id: int | None
    occurred_at: datetime
    params: dict[str, Any]
    source: str


class EventFilter(NamedTuple):
    """None takes everything. `param` has `value` where both are given, else it is there."""

    first: datetime | None = None
    last: datetime | None = None
    event_type_id: int | None = None
    contact_id: int | None = None
    param: str | None = None
    value: str | None = None


class EventErrorRow(msgspec.Struct):
    """An event that was refused; `body` is how its parameters begin, as JSON."""

    error_id: int
    at: datetime
    event_type_id: int | None
    type_key: str
    event_key: str | None
    reason: str
    body: str


class EventTypeFigures(msgspec.Struct):
    """Of the last 30 days, up to the moment of the call."""

    event_type_id: int
    key: str
    total: int
    contact_not_found: int
    refused: int
    last_7_days: int
    previous_7_days: int
    falling: bool
    """Less than half as many in the last 7 days as in the 7 before, of 20 or more."""


class TypeDay(msgspec.Struct):
    """A day of the organisation's zone."""

    day: date
    total: int
    contact_not_found: int
    refused: int


class BulkEvent(msgspec.Struct):
    """`occurred_at` with its zone; without it the moment of the call."""

    type_key: str
    params: dict[str, Any] = msgspec.field(default_factory=dict)
    event_key: str | None = None
    occurred_at: datetime | None = None


class BulkEvents(msgspec.Struct):
    events: list[BulkEvent]


class RefusedEvent(msgspec.Struct):
    """`index` in the call, from 0."""

    index: int
    error: str


class BulkResult(msgspec.Struct):
    accepted: int
    refused: list[RefusedEvent]
