"""Typed access to inboxes and the tokens of their owners."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from perigee.db import plans
from perigee.db.columns import pack, pack_numbers
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.segments import kinds
from perigee.segments.live.notes import changed

q = load(__package__)


class Row(NamedTuple):
    """A message on its way into an inbox; `ttl` in seconds."""

    send_id: int
    ordinal: int
    contact_id: int
    inbox_id: str
    title: str
    content: str
    image: str | None
    link: str | None
    category: str | None
    custom_data: str | None
    ttl: int


class Kept(NamedTuple):
    """A message in an inbox."""

    inbox_id: UUID
    created_at: datetime
    title: str
    content: str
    image: str | None
    link: str | None
    category: str | None
    custom_data: str | None
    opened: bool


async def find_contact(
    conn: Connection, org_id: int, *, external_id: str | None, email: str | None, phone: str | None
) -> int | None:
    values = {"org_id": org_id, "external_id": external_id, "email": email, "phone": phone}
    row = await (await conn.execute(q.find_contact, values)).fetchone()
    return None if row is None else int(row[0])


async def insert_session(
    conn: Connection, org_id: int, contact_id: int, session_id: int, seconds: float
) -> None:
    await conn.execute(
        q.insert_session,
        {"org_id": org_id, "contact_id": contact_id, "session_id": session_id, "seconds": seconds},
    )


async def turn_session(
    conn: Connection, org_id: int, contact_id: int, session_id: int, generation: int, seconds: float
) -> int | None:
    """The next token's number; None when the token of this number is dead."""
    values = {
        "org_id": org_id,
        "contact_id": contact_id,
        "session_id": session_id,
        "generation": generation,
        "seconds": seconds,
    }
    row = await (await conn.execute(q.turn_session, values)).fetchone()
    return None if row is None else int(row[0])


async def count_unopened(conn: Connection, org_id: int, contact_id: int) -> int:
    return await _number(conn, q.count_unopened, {"org_id": org_id, "contact_id": contact_id})


async def count_messages(conn: Connection, org_id: int, contact_id: int, opened: bool | None) -> int:
    """`opened` None: whether opened or not, here and below."""
    return await _number(
        conn, q.count_messages, {"org_id": org_id, "contact_id": contact_id, "opened": opened}
    )


async def list_messages(
    conn: Connection, org_id: int, contact_id: int, opened: bool | None, *, rows: int, skip: int
) -> list[Kept]:
    values = {"org_id": org_id, "contact_id": contact_id, "opened": opened, "rows": rows, "skip": skip}
    return [Kept(*row) for row in await (await conn.execute(q.list_messages, values)).fetchall()]


async def open_messages(conn: Connection, org_id: int, contact_id: int, ids: Sequence[UUID] | None) -> int:
    """Marks them, None: all, as opened. How many were not opened before."""
    values = {"org_id": org_id, "contact_id": contact_id, "ids": None if ids is None else list(ids)}
    opened = (await conn.execute(q.open_messages, values)).rowcount
    if opened:
        await changed(conn, org_id, [contact_id], kinds.ACTIVITY)
    return opened


async def insert_messages(conn: Connection, org_id: int, rows: Sequence[Row], *, keep: int) -> None:
    """Adds those that are not there yet, then cuts each inbox to its `keep` newest."""
    async with conn.pipeline():
        await plans.by_key(conn)
        await conn.execute(
            q.insert_messages,
            {
                "org_id": org_id,
                "sends": pack_numbers(row.send_id for row in rows),
                "ordinals": pack_numbers(row.ordinal for row in rows),
                "contacts": pack_numbers(row.contact_id for row in rows),
                "inbox_ids": pack(row.inbox_id for row in rows),
                "titles": pack(row.title or None for row in rows),
                "contents": pack(row.content or None for row in rows),
                "images": pack(row.image for row in rows),
                "links": pack(row.link for row in rows),
                "categories": pack(row.category for row in rows),
                "custom_data": pack(row.custom_data for row in rows),
                "ttls": pack_numbers(row.ttl for row in rows),
            },
        )
        contacts = sorted({row.contact_id for row in rows})
        await conn.execute(q.trim_inboxes, {"org_id": org_id, "contacts": contacts, "keep": keep})


async def prune(conn: Connection) -> None:
    await conn.execute(q.prune_messages)
    await conn.execute(q.prune_sessions)


async def _number(conn: Connection, query: str, values: dict[str, object]) -> int:
    row = await (await conn.execute(query, values)).fetchone()
    assert row is not None
    return int(row[0])
