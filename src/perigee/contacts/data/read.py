"""Gathers what is stored about a person. Not in it: mail that came back and copies in the sandbox, which are ours to test
and to read bounces by and go by themselves, and imports, which hold for a month who was in them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec

from perigee.contacts.data import types
from perigee.contacts.read import not_found
from perigee.db.pool import Connection
from perigee.db.queries import load

q = load(__package__)

SECTIONS: Final[dict[str, tuple[str, type[msgspec.Struct]]]] = {
    "addresses": (q.addresses, types.AddressData),
    "consent": (q.consent, types.ConsentData),
    "tokens": (q.tokens, types.TokenData),
    "lists": (q.lists, types.ListData),
    "events": (q.events, types.EventData),
    "orders": (q.orders, types.OrderData),
    "messages": (q.messages, types.MessageData),
    "activity": (q.activity, types.ActivityData),
    "inbox": (q.inbox, types.InboxData),
    "browsers": (q.browsers, types.BrowserData),
    "promo_codes": (q.promo_codes, types.PromoCodeData),
    "data_files": (q.data_files, types.DataFileData),
    "rfm": (q.cells, types.CellData),
    "merges": (q.merges, types.MergeData),
}


async def person_data(conn: Connection, org_id: int, contact_id: int, now: datetime) -> types.PersonData:
    """As of one moment, when `conn` is in a transaction that repeats its reads. Of a deleted contact, too.

    Raises NotFound.
    """
    values = {"org_id": org_id, "contact_id": contact_id}
    row = await (await conn.execute(q.card, values)).fetchone()
    if row is None:
        raise not_found(contact_id)
    sections: dict[str, Any] = {}
    for name, (query, kind) in SECTIONS.items():
        sections[name] = [kind(*found) for found in await (await conn.execute(query, values)).fetchall()]
    return types.PersonData(contact_id, now, row[0], row[1], **sections)
