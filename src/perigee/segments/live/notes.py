"""Telling the live segments what changed. Whoever writes something that a condition looks at calls one of these, in the
same transaction and after its own writing (the horizon of `build` relies on the order).

One statement for the whole set, which writes nothing where no live segment looks at what changed. Every function only
adds rows, so no caller waits for another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from perigee.db.columns import pack, pack_numbers
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.segments import kinds as of

q = load(__package__)


async def changed(conn: Connection, org_id: int, contact_ids: Iterable[int], kinds: int) -> None:
    """`kinds`: what may have changed of these contacts, bits of `segments.kinds`."""
    await changed_each(conn, org_id, [(contact_id, kinds) for contact_id in contact_ids])


async def changed_each(conn: Connection, org_id: int, changes: Sequence[tuple[int, int]]) -> None:
    """(contact id, kinds). Nobody is 0."""
    told = sorted({(contact_id, kinds) for contact_id, kinds in changes if contact_id})
    if told:
        columns = {
            "org_id": org_id,
            "contact_ids": pack_numbers(contact_id for contact_id, _ in told),
            "kinds": pack_numbers(kinds for _, kinds in told),
        }
        await conn.execute(q.note, columns)


async def addresses_changed(conn: Connection, org_id: int, addresses: Iterable[tuple[str, str]]) -> None:
    """(`email` or `phone`, normal form): their state changed, for all who hold them."""
    if told := sorted(set(addresses)):
        columns = {
            "org_id": org_id,
            "address_kinds": pack(kind for kind, _ in told),
            "values": pack(value for _, value in told),
            "kinds": of.ADDRESS,
        }
        await conn.execute(q.note_holders, columns)
