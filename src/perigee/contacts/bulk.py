"""Taking in a bulk call (contract 10.1): everything wrong is said at once, the rest is stored and applied by a job.

The caller gets its session id after the commit of the row that holds the cleaned contacts, so what was
acknowledged is never lost; a job in the same transaction applies it (`apply_import`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

import msgspec

from perigee.contacts import import_store as store
from perigee.contacts.bulk_options import Options, WireOptions, clean_options
from perigee.contacts.clean import clean, has_channel, no_channel
from perigee.contacts.rows import ContactRow
from perigee.contacts.types import WireContact
from perigee.db.pool import Connection
from perigee.errors import Invalid
from perigee.jobs import enqueue
from perigee.lib.json_edge import decode, decode_each
from perigee.lib.scalars import one_or_many

APPLY_IMPORT: Final = "contacts.apply_import"


class WireBulk(WireOptions):
    """Body of POST contacts, every contact well formed."""

    contacts: list[WireContact | None] | WireContact | None = None


class RawBulk(WireOptions):
    """The same with each contact as it came, to be decoded by itself: one bad one does not hurt the others."""

    contacts: msgspec.Raw = msgspec.Raw(b"null")


class Failure(NamedTuple):
    """A refused contact, by its place in the call, and why."""

    place: int
    error: str


class Intake(NamedTuple):
    rows: list[ContactRow]
    options: Options
    failures: list[Failure]


def read_call(body: bytes, *, most: int) -> Intake:
    """The cleaned contacts and the refused ones. Raises Invalid for what concerns the call as a whole. Pure."""
    options, contacts = _decode(body)
    if not contacts:
        raise Invalid("contacts: at least one contact is required", field="contacts")
    if len(contacts) > most:
        raise Invalid(
            f"contacts: {len(contacts)} are more than {most}, the most for one call", field="contacts"
        )
    cleaned = clean_options(options)
    rows, failures = clean_contacts(contacts, cleaned)
    return Intake(rows, cleaned, failures)


def _decode(body: bytes) -> tuple[WireOptions, list[WireContact | Invalid]]:
    """In one pass, unless some contact has the wrong shape."""
    try:
        call = decode(body, WireBulk)
    except Invalid:
        raw = decode(body, RawBulk)
        return raw, decode_each(_elements(raw), WireContact)
    return call, list(one_or_many(call.contacts))


def _elements(call: RawBulk) -> list[msgspec.Raw]:
    """The contacts as they came, one alone also without its list; nulls are left out, as everywhere. Raises Invalid."""
    text = bytes(call.contacts)
    if text.startswith(b"{"):
        return [call.contacts]
    if not text.startswith((b"[", b"null")):
        raise Invalid("contacts: must be a list of contacts", field="contacts")
    return [raw for raw in decode(text, list[msgspec.Raw] | None) or () if bytes(raw) != b"null"]


def as_they_came(body: bytes, failures: Sequence[Failure]) -> list[dict[str, Any]]:
    """The refused contacts, each with its `error`."""
    contacts = _elements(decode(body, RawBulk))
    return [{**_shown(contacts[failure.place]), "error": failure.error} for failure in failures]


def _shown(raw: msgspec.Raw) -> dict[str, Any]:
    """What no answer can repeat, such as a number beyond all bounds, is left out whole: the others are stored by now,
    and the call must not fail for it."""
    try:
        contact = decode(bytes(raw))
    except Invalid:
        return {}
    return contact if isinstance(contact, dict) else {}


def clean_contacts(
    contacts: Sequence[WireContact | Invalid], options: Options
) -> tuple[list[ContactRow], list[Failure]]:
    rows: list[ContactRow] = []
    failures: list[Failure] = []
    for place, wire in enumerate(contacts):
        try:
            if isinstance(wire, Invalid):
                raise wire
            row = clean(wire)
            if not has_channel(row):
                raise no_channel()
            options.check_key(row)
        except Invalid as error:
            failures.append(Failure(place, error.message))
        else:
            rows.append(row)
    return rows, failures


async def accept(conn: Connection, org_id: int, intake: Intake) -> UUID:
    """Stores the import and its job in the caller's transaction. Raises Invalid (an unknown `fieldId`)."""
    field_id = intake.options.field_id
    if field_id is not None and not await store.has_field(conn, org_id, field_id):
        raise Invalid.of("fieldId", field_id, "is not the id of an additional field")
    session_id = uuid4()
    await store.insert_import(
        conn,
        org_id,
        session_id,
        source="api",
        options=intake.options,
        rows=intake.rows,
        failures=[failure.error for failure in intake.failures],
    )
    await enqueue(conn, APPLY_IMPORT, org_id=org_id, session_id=str(session_id))
    return session_id
