"""The contact of our own API, `/api/v4`: what one reads, and what one writes (null takes a value away)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from perigee.contacts import clean, read_store
from perigee.contacts.clean import ADDRESS_LENGTH, ID_LENGTH, group_names
from perigee.contacts.rows import CLEAR, ContactRow
from perigee.db.pool import Connection
from perigee.errors import Invalid
from perigee.lib.scalars import to_text

Text = str | None | UnsetType


class AddressState(msgspec.Struct):
    """An email or a phone and whether it may be written to."""

    value: str
    confirmed: bool
    unsubscribed_at: datetime | None
    complained_at: datetime | None
    blacklisted_at: datetime | None
    blocked_until: datetime | None


class ListName(msgspec.Struct):
    segment_id: int
    name: str


class PushToken(msgspec.Struct):
    kind: str
    app_id: str
    token: str
    active: bool
    device: dict[str, Any]


class ContactResource(msgspec.Struct):
    """A person. `fields` holds the additional fields by id, in their own types."""

    contact_id: int
    external_id: str | None
    email: AddressState | None
    phone: AddressState | None
    first_name: str | None
    last_name: str | None
    contact_key: str | None
    language: str | None
    time_zone: str | None
    region: str | None
    town: str | None
    street: str | None
    postcode: str | None
    fields: dict[str, Any]
    lists: list[ListName]
    tokens: list[PushToken]
    source: str
    created_at: datetime
    updated_at: datetime


class ContactWrite(msgspec.Struct, forbid_unknown_fields=True):
    """What is not named stays as it is; null takes the value away. `lists` are names of lists to join."""

    external_id: Text = UNSET
    email: Text = UNSET
    phone: Text = UNSET
    first_name: Text = UNSET
    last_name: Text = UNSET
    contact_key: Text = UNSET
    language: Text = UNSET
    time_zone: Text = UNSET
    region: Text = UNSET
    town: Text = UNSET
    street: Text = UNSET
    postcode: Text = UNSET
    fields: dict[str, Any] = {}
    lists: list[str] = []


def _text(limit: int) -> Callable[[str, str], str | None]:
    return lambda member, value: to_text(member, value, limit=limit)


_CLEAN: Final[dict[str, Callable[[str, str], str | None]]] = {
    "external_id": _text(ID_LENGTH),
    "phone": clean.phone,
    "first_name": clean.first_name,
    "last_name": clean.last_name,
    "contact_key": _text(ID_LENGTH),
    "language": clean.language,
    "time_zone": clean.time_zone,
    "region": _text(ADDRESS_LENGTH),
    "town": _text(ADDRESS_LENGTH),
    "street": _text(ADDRESS_LENGTH),
    "postcode": _text(ADDRESS_LENGTH),
}


def clean_write(given: ContactWrite, contact_id: int | None = None) -> ContactRow:
    """Raises Invalid. A blank is null. Pure."""
    row = ContactRow(contact_id=contact_id)
    if given.email is not UNSET:
        normal, row.email_spelling = clean.email("email", given.email)
        row.email = normal or CLEAR
    for column, cleaned in _CLEAN.items():
        value = getattr(given, column)
        if value is not UNSET:
            setattr(row, column, (None if value is None else cleaned(column, value)) or CLEAR)
    if bad := next((key for key in given.fields if not (key.isascii() and key.isdecimal())), None):
        raise Invalid.of("fields", bad, "is not the id of an additional field")
    row.fields = given.fields
    row.groups = group_names("lists", given.lists)
    return row


async def resources(conn: Connection, org_id: int, contact_ids: Sequence[int]) -> list[ContactResource]:
    """Those of the contacts that are alive, in the order given."""
    if not contact_ids:
        return []
    tokens: dict[int, list[PushToken]] = defaultdict(list)
    for contact_id, *token in await read_store.tokens(conn, org_id, contact_ids):
        tokens[contact_id].append(PushToken(*token))
    lists: dict[int, list[ListName]] = defaultdict(list)
    for contact_id, segment_id, name in await read_store.lists(conn, org_id, contact_ids):
        lists[contact_id].append(ListName(segment_id, name))
    states: dict[tuple[int, str], AddressState] = {}
    for contact_id, kind, *state in await read_store.address_states(conn, org_id, contact_ids):
        states[contact_id, kind] = AddressState(*state)
    return [
        ContactResource(
            contact_id=one.contact_id,
            external_id=one.external_id,
            email=states.get((one.contact_id, "email")),
            phone=states.get((one.contact_id, "phone")),
            first_name=one.first_name,
            last_name=one.last_name,
            contact_key=one.contact_key,
            language=one.language,
            time_zone=one.time_zone,
            region=one.region,
            town=one.town,
            street=one.street,
            postcode=one.postcode,
            fields=json.loads(one.fields, parse_float=Decimal),
            lists=lists[one.contact_id],
            tokens=tokens[one.contact_id],
            source=one.source,
            created_at=one.created_at,
            updated_at=one.updated_at,
        )
        for one in await read_store.contacts(conn, org_id, contact_ids)
    ]
