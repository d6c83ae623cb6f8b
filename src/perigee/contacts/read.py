"""Contacts as the wire shows them (contract 7.1): one, many by id, found by a search."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from msgspec import UNSET

from perigee.contacts import read_store as store
from perigee.contacts.field_values import show
from perigee.contacts.read_store import Filters, StoredContact
from perigee.contacts.types import Address, Channel, Contact, FieldValue, GroupName
from perigee.db.pool import Connection
from perigee.errors import NotFound
from perigee.paging import marks
from perigee.paging.marks import Key, KeyQuery, Mark

ADDRESS_BOOK_ID: Final = 7200
"""The one catalogue of additional fields that every organisation has."""


async def contacts(conn: Connection, org_id: int, contact_ids: Sequence[int]) -> list[Contact]:
    """Those of the contacts that are alive, in the order given."""
    if not contact_ids:
        return []
    stored = await store.contacts(conn, org_id, contact_ids)
    tokens: dict[int, list[Channel]] = defaultdict(list)
    for contact_id, *token in await store.tokens(conn, org_id, contact_ids):
        tokens[contact_id].append(_token_channel(*token))
    lists: dict[int, list[GroupName]] = defaultdict(list)
    for contact_id, segment_id, name in await store.lists(conn, org_id, contact_ids):
        lists[contact_id].append(GroupName(segment_id, name, "Static"))
    return [_show(one, tokens[one.contact_id], lists[one.contact_id]) for one in stored]


async def contact(conn: Connection, org_id: int, contact_id: int) -> Contact:
    """Raises NotFound, for a deleted contact too."""
    found = await contacts(conn, org_id, [contact_id])
    if not found:
        raise not_found(contact_id)
    return found[0]


def not_found(contact_id: int) -> NotFound:
    return NotFound(f"Contact with id='{contact_id}' is not found")


async def search(
    conn: Connection, org_id: int, filters: Filters, *, skip: int, rows: int
) -> tuple[list[Contact], int]:
    """(a page, the number of all hits), last updated first (contract 11.1)."""
    ids, total = await marks.page(conn, org_id, _ByUpdate(conn, org_id, filters), skip=skip, rows=rows)
    return await contacts(conn, org_id, ids), total


async def export(conn: Connection, org_id: int, *, skip: int, rows: int) -> tuple[list[Contact], int]:
    """(a page by contact id, the number of all contacts)."""
    ids, total = await marks.page(conn, org_id, _ById(conn, org_id), skip=skip, rows=rows)
    return await contacts(conn, org_id, ids), total


@dataclass
class _ByUpdate:
    conn: Connection
    org_id: int
    filters: Filters
    hits: int | None = None

    @property
    def name(self) -> str:
        return marks.listing("contacts by update", *self.filters)

    @property
    def planting(self) -> KeyQuery | None:
        return None if any(self.filters) else store.search_query(self.org_id, self.filters)

    async def keys(self, mark: Mark, skip: int, rows: int) -> list[Key]:
        if self.filters.first_name or self.filters.last_name:
            # The planner cannot know how rare a beginning is, so the two ways are not left to it.
            few = await store.search_few(self.conn, self.org_id, self.filters, mark, skip=skip, rows=rows)
            if few is not None:
                self.hits, keys = few
                return keys
        query = store.search_query(self.org_id, self.filters)
        return await marks.read(self.conn, query, mark, skip=skip, rows=rows)

    async def count(self, remembered: int | None) -> int:
        """Many hits are counted once for the pages of a minute."""
        if self.hits is None:
            self.hits = remembered if any(self.filters) else None
        return await store.count(self.conn, self.org_id, self.filters) if self.hits is None else self.hits


@dataclass
class _ById:
    conn: Connection
    org_id: int

    @property
    def name(self) -> str:
        return marks.listing("contacts by id")

    @property
    def planting(self) -> KeyQuery:
        return store.list_query(self.org_id)

    async def keys(self, mark: Mark, skip: int, rows: int) -> list[Key]:
        return await marks.read(self.conn, self.planting, mark, skip=skip, rows=rows)

    async def count(self, remembered: int | None) -> int:
        return await store.count(self.conn, self.org_id, Filters())


async def ids_after(conn: Connection, org_id: int, after: int, rows: int) -> list[int]:
    """Ids of living contacts by id, from behind one."""
    behind = marks.START._replace(key_id=after)
    keys = await marks.read(conn, store.list_query(org_id), behind, skip=0, rows=rows)
    return [contact_id for _, contact_id in keys]


def _show(stored: StoredContact, tokens: Sequence[Channel], lists: list[GroupName]) -> Contact:
    channels = [
        Channel(kind, value) for kind, value in (("email", stored.email), ("sms", stored.phone)) if value
    ]
    values = json.loads(stored.fields, parse_float=Decimal)
    fields = [FieldValue(int(key), show(value)) for key, value in values.items()]
    address = (stored.region, stored.town, stored.street, stored.postcode)
    return Contact(
        id=stored.contact_id,
        channels=[*channels, *tokens],
        first_name=stored.first_name or UNSET,
        last_name=stored.last_name or UNSET,
        address=Address(*(part or "" for part in address)) if any(address) else UNSET,
        fields=sorted(fields, key=lambda field: field.id) if fields else UNSET,
        address_book_id=ADDRESS_BOOK_ID,
        external_customer_id=stored.external_id or UNSET,
        contact_key=stored.contact_key or UNSET,
        groups=lists or UNSET,
        language_code=stored.language or UNSET,
        time_zone=stored.time_zone or UNSET,
        orders_info=UNSET if stored.orders_info is None else stored.orders_info,
    )


def _token_channel(kind: str, app_id: str, value: str, active: bool, device: dict[str, Any]) -> Channel:
    about = {"appId": app_id, **device} if app_id else device
    if kind == "webpush":
        if app_id.isdecimal():
            about = {**about, "appId": int(app_id)}
        return Channel(kind, value, web_push=about or None)
    if kind == "mobilepush":
        return Channel(kind, value, device={**about, "active": active})
    if kind == "telegram":  # a chat, no device (contract 7.1)
        return Channel(kind, value)
    return Channel(kind, value, device=about or None)
