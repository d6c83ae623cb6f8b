"""Typed access to contacts as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.rows import class_row

from perigee.db.columns import pack_numbers
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.paging.marks import Key, KeyQuery, Mark

q = load(__package__)

FEW = 2_000
"""Hits that are quicker put in order than met on a walk through everybody."""


class StoredContact(NamedTuple):
    contact_id: int
    external_id: str | None
    email: str | None
    phone: str | None
    first_name: str | None
    last_name: str | None
    contact_key: str | None
    language: str | None
    time_zone: str | None
    region: str | None
    town: str | None
    street: str | None
    postcode: str | None
    fields: str
    """JSON text: numbers must not lose digits on their way through a float."""
    orders_info: dict[str, Any] | None
    source: str
    created_at: datetime
    updated_at: datetime


class Filters(NamedTuple):
    """Normal forms; None does not filter. Names are compared by their beginning, without regard to case."""

    external_id: str | None = None
    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None


async def contacts(conn: Connection, org_id: int, contact_ids: Sequence[int]) -> list[StoredContact]:
    async with conn.cursor(row_factory=class_row(StoredContact)) as cursor:
        await cursor.execute(q.read_contacts, {"org_id": org_id, "contact_ids": pack_numbers(contact_ids)})
        return await cursor.fetchall()


async def tokens(conn: Connection, org_id: int, contact_ids: Sequence[int]) -> list[tuple[Any, ...]]:
    """(contact id, kind, application, token, active, device)."""
    values = {"org_id": org_id, "contact_ids": pack_numbers(contact_ids)}
    return await (await conn.execute(q.read_tokens, values)).fetchall()


async def lists(conn: Connection, org_id: int, contact_ids: Sequence[int]) -> list[tuple[int, int, str]]:
    """(contact id, segment id, name)."""
    values = {"org_id": org_id, "contact_ids": pack_numbers(contact_ids)}
    return await (await conn.execute(q.read_lists, values)).fetchall()


async def emails(conn: Connection, org_id: int, contact_ids: Sequence[int]) -> list[tuple[int, str]]:
    cursor = await conn.execute(q.emails_by_ids, {"org_id": org_id, "contact_ids": list(contact_ids)})
    return await cursor.fetchall()


def search_query(org_id: int, filters: Filters) -> KeyQuery:
    """(last update, contact id) of all hits, last updated first."""
    return KeyQuery(q.search_contacts, {"org_id": org_id, **filters._asdict()})


def list_query(org_id: int) -> KeyQuery:
    """(null, contact id) of all living contacts, by id."""
    return KeyQuery(q.list_contacts, {"org_id": org_id})


async def search_few(
    conn: Connection, org_id: int, filters: Filters, mark: Mark, *, skip: int, rows: int
) -> tuple[int, list[Key]] | None:
    """(number of hits, page behind the mark) for names of few people; None when there are more than `FEW`."""
    values = {
        "org_id": org_id,
        "skip": skip,
        "rows": rows,
        "most": FEW,
        "key_time": mark.key_time,
        "key_id": mark.key_id,
        **filters._asdict(),
    }
    found = await (await conn.execute(q.search_few_contacts, values, prepare=False)).fetchall()
    hits = int(found[0][0])
    return None if hits > FEW else (hits, [(at, number) for _, at, number in found if number is not None])


async def count(conn: Connection, org_id: int, filters: Filters) -> int:
    if not any(filters):
        cursor = await conn.execute(q.living_contacts, {"org_id": org_id})
    else:
        cursor = await conn.execute(q.count_contacts, {"org_id": org_id, **filters._asdict()}, prepare=False)
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def fold_tally(conn: Connection) -> None:
    """Keeps the sum that `count` takes short."""
    await conn.execute(q.fold_contact_tally)


async def find_after(conn: Connection, org_id: int, filters: Filters, *, after: int, rows: int) -> list[int]:
    """Ids by equal external id, email and phone; names are not looked at."""
    values = {
        "org_id": org_id,
        "after": after,
        "rows": rows,
        "external_id": filters.external_id,
        "email": filters.email,
        "phone": filters.phone,
    }
    cursor = await conn.execute(q.find_contacts_after, values, prepare=False)
    return [contact_id for (contact_id,) in await cursor.fetchall()]


async def address_states(conn: Connection, org_id: int, contact_ids: Sequence[int]) -> list[tuple[Any, ...]]:
    """(contact id, kind, address, confirmed, unsubscribed, complained, blacklisted, blocked until)."""
    values = {"org_id": org_id, "contact_ids": pack_numbers(contact_ids)}
    return await (await conn.execute(q.address_states, values)).fetchall()
