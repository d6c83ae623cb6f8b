"""Answers that have no boundary type of their own in a `types.py` of the server, and pages of lists."""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

import msgspec

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T]):
    """A page of an `/api/v4` list; `next` is the cursor of the page behind it, None on the last."""

    items: list[T]
    next: str | None = None


class RefusedContact(msgspec.Struct):
    """A contact of a bulk call that was not taken, as it was sent, and the rule it breaks."""

    contact: dict[str, Any]
    error: str


class BulkAccepted(msgspec.Struct):
    """`session_id` is what `import_status` asks for."""

    session_id: str
    refused: list[RefusedContact]


class ImportMapping(msgspec.Struct, rename="camel"):
    """`dedupe_value`: what the bulk call's `dedupeOn` looked at; None where the contact has no such value."""

    contact_id: int
    dedupe_value: str | None = None


class ImportStatus(msgspec.Struct):
    """`mapping` is there once the import has finished."""

    status: Literal["STARTED", "IMPORTING", "FINISHED", "ERROR"]
    timestamp: str
    description: str | None = None
    mapping: list[ImportMapping] = []

    @property
    def is_over(self) -> bool:
        return self.status in ("FINISHED", "ERROR")


class RefusedOrder(msgspec.Struct):
    order: dict[str, Any]
    error: str


class Field(msgspec.Struct):
    """An additional field."""

    field_id: int
    name: str
    key: str
    type: str


class FieldGroup(msgspec.Struct):
    name: str
    key: str
    fields: list[Field]


class FieldGroups(msgspec.Struct):
    groups: list[FieldGroup]
