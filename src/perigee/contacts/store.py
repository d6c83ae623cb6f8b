"""Typed access to the statements of an upsert (queries.sql)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, Final

import msgspec
from psycopg.errors import SerializationFailure

from perigee.contacts.addresses import Known
from perigee.contacts.copying import CONTACTS, MANY, copy
from perigee.contacts.policy import Match, Write
from perigee.contacts.rows import CLEAR, TEXT_COLUMNS, ContactRow, Token
from perigee.db.columns import pack, pack_flags, pack_numbers
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.segments import kinds
from perigee.segments.live.notes import changed

q = load(__package__)

_encode = msgspec.json.Encoder().encode

Numbered = Sequence[tuple[int, ContactRow]]
"""Contact ids with what is to be written to them."""


class _Growth:
    """Lets plans age with the tables.

    A plan is kept for the life of its statement's text, and one made while there were a dozen contacts takes every
    index for equally good: it may walk through a whole organisation for each row, for ever. Contact ids come from
    one sequence, so the highest one seen tells how far the tables have grown; each doubling makes a new text.
    """

    def __init__(self) -> None:
        self._doublings = 0

    def note(self, contact_ids: Sequence[int]) -> None:
        self._doublings = max(self._doublings, (max(contact_ids) - FIRST_CONTACT).bit_length())

    def planned(self, query: str) -> str:
        return f"{query} -- planned for up to 2^{self._doublings} contacts"


FIRST_CONTACT: Final = 100_000
_growth = _Growth()


async def plan_by_key(conn: Connection) -> None:
    """For the rest of the transaction."""
    await conn.execute(q.plan_by_key)


async def match(
    conn: Connection,
    org_id: int,
    rows: Sequence[ContactRow],
    known: Known,
    direct: Sequence[int | None],
    policy: Match,
) -> list[tuple[int, str]]:
    """(contact id, state) per row; states as told at the query."""
    emails, phones = _given(_column(rows, "email")), _given(_column(rows, "phone"))
    if "token" not in policy.keys:  # whose rule about devices looks at new addresses too
        # Nobody has an address that was made a moment ago, so nobody is looked for by it.
        emails = [email if email in known.emails else None for email in emails]
        phones = [phone if phone in known.phones else None for phone in phones]
    cursor = await conn.execute(
        _growth.planned(q.match_contacts),
        {
            "org_id": org_id,
            "external_ids": pack(_given(_column(rows, "external_id"))),
            "emails": pack(emails),
            "phones": pack(phones),
            "direct_ids": pack_numbers(direct),
            "unknown": policy.unknown_external,
            "email_rank": policy.rank("email"),
            "phone_rank": policy.rank("phone"),
            "direct_rank": policy.rank("token", "id", "field"),
            "by_device": "token" in policy.keys and len(policy.keys) > 1,
        },
    )
    found = await cursor.fetchone()
    assert found is not None
    contact_ids = [int(contact_id) for contact_id in found[0].split(",")]
    _growth.note(contact_ids)
    return list(zip(contact_ids, found[1], strict=True))


def _given(values: list[str | None]) -> list[str | None]:
    """Values that are there: the sign for clearing is none."""
    return [None if value == CLEAR else value for value in values] if CLEAR in values else values


async def match_by_field(
    conn: Connection, org_id: int, rows: Sequence[ContactRow], policy: Match
) -> list[int | None]:
    assert policy.field_id is not None
    await conn.execute(q.plan_freely)
    await conn.execute(q.lock_fields, {"org_id": org_id, "field_id": policy.field_id})
    cursor = await conn.execute(
        q.match_by_field,
        {
            "org_id": org_id,
            "field_id": policy.field_id,
            "values": pack(_text(row.fields.get(policy.field_id)) for row in rows),
            "external_ids": pack(_given(_column(rows, "external_id"))),
            "unknown": policy.unknown_external,
        },
    )
    found: list[int | None] = [None] * len(rows)
    for number, contact_id in await cursor.fetchall():
        found[number - 1] = contact_id
    await plan_by_key(conn)
    return found


def _text(value: Any) -> str | None:
    """A field's value as `fields ->> id` shows it."""
    return value if value is None or isinstance(value, str) else _encode(value).decode()


async def insert_contacts(conn: Connection, org_id: int, created: Numbered, source: str) -> None:
    rows = [row for _, row in created]
    columns = {column: _given(_column(rows, column)) for column in TEXT_COLUMNS}
    fields = [_new_fields(row) for row in rows]
    orders_info = _column(rows, "orders_info")
    if len(created) >= MANY:
        places = (
            [str(org_id)] * len(rows),
            [source] * len(rows),
            [str(contact_id) for contact_id, _ in created],
        )
        await copy(conn, CONTACTS, zip(*places, *columns.values(), fields, orders_info, strict=True))
        return
    values: dict[str, Any] = {
        "org_id": org_id,
        "source": source,
        "contact_ids": pack_numbers(contact_id for contact_id, _ in created),
        "fields": pack(fields),
        "orders_info": pack(orders_info),
    }
    for column, given in columns.items():
        values[column] = pack(given)
    await conn.execute(q.insert_contacts, values)


def _column(rows: Sequence[ContactRow], column: str) -> list[str | None]:
    return list(map(attrgetter(column), rows))


def _new_fields(row: ContactRow) -> str:
    if not row.fields:
        return "{}"
    if None in row.fields.values():
        return _encode({key: value for key, value in row.fields.items() if value is not None}).decode()
    return _encode(row.fields).decode()


async def update_contacts(conn: Connection, org_id: int, updated: Numbered, write: Write) -> None:
    """Writes what is given and leaves the rest; `CLEAR` clears, a null among the fields takes that field away.

    A column in `write.keep` is only filled. A contact that would stay as it is is not written, for a shop's daily
    export must not rewrite every row, unless it brings a token. Deleted contacts are restored.

    The statement is written as an insert, so that the primary key finds each row, whatever the statistics say
    (db/plans.py). A row that was not there has been erased a moment ago and must not come back like this: raises
    SerializationFailure, and the set is run again. Its text stays below psycopg's limit for parsed queries, 4096.
    """
    rows = [row for _, row in updated]
    values: dict[str, Any] = {
        "org_id": org_id,
        "contact_ids": pack_numbers(contact_id for contact_id, _ in updated),
        "fields": pack(_fields_to_write(row, write.fields) for row in rows),
        "forced": pack_flags(bool(row.tokens) for row in rows),
        "orders_info": pack(_to_write(rows, "orders_info", write.listed, "null")),
    }
    for column in TEXT_COLUMNS:
        values[column] = pack(_to_write(rows, column, write.listed, CLEAR))
    for column in ("external_id", "email", "phone"):
        values["keep_" + column] = column in write.keep
    cursor = await conn.execute(q.update_contacts, values)
    if any(fresh for (fresh,) in await cursor.fetchall()):
        raise SerializationFailure("a contact was erased while it was updated")


def _to_write(
    rows: Sequence[ContactRow], column: str, listed: frozenset[str] | None, clear: str
) -> list[str | None]:
    if listed is None:
        return _column(rows, column)
    if column not in listed:
        return [None] * len(rows)
    return [clear if value is None else value for value in _column(rows, column)]


def _fields_to_write(row: ContactRow, listed: frozenset[str] | None) -> str:
    """JSON of the additional fields to set; a null takes the field away."""
    if listed is None:
        return _encode(row.fields).decode() if row.fields else "{}"
    return _encode({key: row.fields.get(key) for key in listed}).decode() if listed else "{}"


async def lock_tokens(
    conn: Connection, org_id: int, wanted: Sequence[tuple[str, str]]
) -> list[tuple[int, str, str, str, int]]:
    cursor = await conn.execute(
        q.lock_tokens,
        {
            "org_id": org_id,
            "kinds": pack(kind for kind, _ in wanted),
            "values": pack(value for _, value in wanted),
        },
    )
    return await cursor.fetchall()


async def insert_tokens(conn: Connection, org_id: int, new: Sequence[tuple[int, Token]]) -> None:
    await conn.execute(
        q.insert_tokens,
        {
            "org_id": org_id,
            "contact_ids": pack_numbers(contact_id for contact_id, _ in new),
            "kinds": pack(token.kind for _, token in new),
            "values": pack(token.value for _, token in new),
            **_token_columns([token for _, token in new]),
        },
    )


async def move_tokens(conn: Connection, org_id: int, known: Sequence[tuple[int, int, Token]]) -> None:
    """(token id, its contact from now on, what is said about it)."""
    await conn.execute(
        q.move_tokens,
        {
            "org_id": org_id,
            "token_ids": pack_numbers(token_id for token_id, _, _ in known),
            "contact_ids": pack_numbers(contact_id for _, contact_id, _ in known),
            **_token_columns([token for _, _, token in known]),
        },
    )


def _token_columns(tokens: Sequence[Token]) -> dict[str, str]:
    return {
        "app_ids": pack(token.app_id or None for token in tokens),
        "active": pack_flags(token.active for token in tokens),
        "devices": pack(_encode(token.device).decode() for token in tokens),
    }


async def drop_tokens(conn: Connection, org_id: int, kind: str, contact_ids: Sequence[int]) -> None:
    await conn.execute(
        q.drop_tokens,
        {"org_id": org_id, "kind": kind, "contact_ids": pack_numbers(contact_ids)},
    )


async def join_segments(conn: Connection, org_id: int, pairs: Iterable[tuple[int, int]]) -> None:
    """Adds (segment id, contact id) pairs; those already there stay as they are."""
    chosen = list(pairs)
    if not chosen:
        return
    await conn.execute(
        q.join_segments,
        {
            "org_id": org_id,
            "segment_ids": pack_numbers(segment_id for segment_id, _ in chosen),
            "contact_ids": pack_numbers(contact_id for _, contact_id in chosen),
        },
    )


async def leave_segments(
    conn: Connection, org_id: int, names: Sequence[str], contact_ids: Sequence[int]
) -> None:
    """Takes people out of the lists of these names; names without a list are none."""
    await conn.execute(
        q.leave_segments,
        {"org_id": org_id, "names": list(names), "contact_ids": pack_numbers(contact_ids)},
    )
    await changed(conn, org_id, contact_ids, kinds.LISTS)
