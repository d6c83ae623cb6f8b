"""Address rows in an upsert: locked or made before anybody looks for the people who have them.

What holds for the whole product, and what `match` builds on: every email and phone of a contact has its address row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from perigee.contacts.copying import ADDRESSES, MANY, copy
from perigee.contacts.rows import CLEAR, ContactRow
from perigee.db.columns import pack
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.segments.live.notes import addresses_changed

q = load(__package__)


class Known(NamedTuple):
    """Addresses of a set that had a row before."""

    emails: frozenset[str | None]
    phones: frozenset[str | None]


async def lock(
    conn: Connection, org_id: int, rows: Sequence[ContactRow], *, confirmed: bool, source: str
) -> Known:
    """Locks or makes the rows of all emails and phones.

    `confirmed`: the addresses are known to be wanted, so emails that wait for their owner wait no longer. False:
    new emails wait, known ones stay as they are.
    """
    emails = sorted({row.email for row in rows if row.email is not None and row.email != CLEAR})
    phones = sorted({row.phone for row in rows if row.phone is not None and row.phone != CLEAR})
    if not emails and not phones:
        return Known(frozenset(), frozenset())
    addresses = [("email", email) for email in emails] + [("phone", phone) for phone in phones]
    cursor = await conn.execute(q.lock_addresses, {"org_id": org_id, **_columns(addresses)})
    found = await cursor.fetchone()
    assert found is not None
    places, waiting, remembers_erased = found
    known = [addresses[int(place) - 1] for place in places.split(",")] if places else []
    if waiting and confirmed:
        await conn.execute(q.confirm_addresses, {"org_id": org_id, "source": source, "emails": pack(emails)})
        await addresses_changed(conn, org_id, [("email", email) for email in emails])
    if len(known) < len(addresses):
        stored = set(known)
        new = [one for one in addresses if one not in stored]
        await _insert(conn, org_id, new, rows, confirmed, by_copy=len(new) >= MANY and not remembers_erased)
    return Known(
        frozenset(value for kind, value in known if kind == "email"),
        frozenset(value for kind, value in known if kind == "phone"),
    )


async def _insert(
    conn: Connection,
    org_id: int,
    addresses: Sequence[tuple[str, str]],
    rows: Sequence[ContactRow],
    confirmed: bool,
    *,
    by_copy: bool,
) -> None:
    spellings = {row.email: row.email_spelling for row in rows if row.email_spelling is not None}
    if by_copy:
        emails = "t" if confirmed else "f"
        await copy(
            conn,
            ADDRESSES,
            [
                (str(org_id), kind, value, spellings.get(value), emails if kind == "email" else "t")
                for kind, value in addresses
            ],
        )
        return
    await conn.execute(
        q.insert_addresses,
        {
            "org_id": org_id,
            "confirmed": confirmed,
            "spellings": pack(spellings.get(value) if kind == "email" else None for kind, value in addresses),
            **_columns(addresses),
        },
    )


def _columns(addresses: Sequence[tuple[str, str]]) -> dict[str, str]:
    return {"kinds": pack(kind for kind, _ in addresses), "values": pack(value for _, value in addresses)}
