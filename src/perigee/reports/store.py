"""Typed access to the statements of activity, history and daily figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from typing import Any, NamedTuple

from perigee.db import plans
from perigee.db.columns import pack_numbers
from perigee.db.pool import Connection
from perigee.db.queries import load

q = load(__package__)


class Happening(NamedTuple):
    """A row of `activity`. `detail`: the address that was clicked, or the provider's words."""

    at: datetime
    activity_id: int
    send_id: int
    ordinal: int
    contact_id: int
    channel: str
    status: str
    detail: str | None
    meta: dict[str, Any] | None


class SendFacts(NamedTuple):
    """What a send says of each of its messages. `sender` as the default language has it."""

    send_id: int
    started_at: datetime
    kind: str
    campaign_id: int | None
    message_id: int | None
    message_name: str
    tags: list[str]
    sender: str
    channel: str


class MessageFacts(NamedTuple):
    """What ledger and caller say of one message."""

    address: str | None
    language: str | None
    external_request_id: str | None


class ContactFacts(NamedTuple):
    contact_id: int
    external_id: str | None
    email: str | None
    phone: str | None


class SentMessage(NamedTuple):
    """A line of the ledger."""

    started_at: datetime
    send_id: int
    ordinal: int
    contact_id: int
    address: str | None
    outcome: str
    language: str | None
    at: datetime


async def settled_until(conn: Connection) -> datetime:
    """Rows of `activity` before this moment are all there; to be asked before they are read, in a statement of its own."""
    row = await (await conn.execute(q.settled_until)).fetchone()
    assert row is not None
    moment: datetime = row[0]
    return moment


async def activity(
    conn: Connection,
    org_id: int,
    *,
    after: tuple[datetime, int],
    until: datetime,
    status: str | None,
    sends: Sequence[int] | None,
    rows: int,
) -> list[Happening]:
    """Within a transaction, whose plans follow indexes from here on."""
    async with conn.pipeline():
        await conn.execute(q.plan_in_order)
        cursor = await conn.execute(
            q.activity, _page(org_id, after=after, until=until, status=status, sends=sends, rows=rows)
        )
    return [Happening(*row) for row in await cursor.fetchall()]


async def activity_of_contacts(
    conn: Connection,
    org_id: int,
    contacts: Sequence[int],
    *,
    address: str,
    channels: Sequence[str],
    after: tuple[datetime, int],
    until: datetime,
    status: str | None,
    sends: Sequence[int] | None,
    rows: int,
) -> list[Happening]:
    """As `activity`, of messages of these channels to one address. Wants plans by key."""
    page = _page(org_id, after=after, until=until, status=status, sends=sends, rows=rows)
    cursor = await conn.execute(
        q.activity_of_contacts,
        {**page, "contacts": list(contacts), "address": address, "channels": list(channels)},
    )
    return [Happening(*row) for row in await cursor.fetchall()]


def _page(
    org_id: int,
    *,
    after: tuple[datetime, int],
    until: datetime,
    status: str | None,
    sends: Sequence[int] | None,
    rows: int,
) -> dict[str, Any]:
    return {
        "org_id": org_id,
        "after_at": after[0],
        "after_id": after[1],
        "until": until,
        "status": status,
        "sends": None if sends is None else list(sends),
        "rows": rows,
    }


async def contacts_of_address(conn: Connection, org_id: int, kind: str, address: str) -> list[int]:
    """`kind`: `email`, `phone` or `token`. Wants plans by key."""
    places = {name: address if name == kind else None for name in ("email", "phone", "token")}
    cursor = await conn.execute(q.contacts_of_address, {"org_id": org_id, "address": address, **places})
    return [contact_id for (contact_id,) in await cursor.fetchall()]


async def sends_with_tag(
    conn: Connection, org_id: int, tag: str, until: datetime
) -> tuple[list[int], datetime | None]:
    """Ids, and the moment when the first began."""
    cursor = await conn.execute(q.sends_with_tag, {"org_id": org_id, "tag": tag, "until": until})
    row = await cursor.fetchone()
    return (row[0] or [], row[1]) if row else ([], None)


async def describe_sends(conn: Connection, org_id: int, send_ids: Sequence[int]) -> dict[int, SendFacts]:
    cursor = await conn.execute(q.describe_sends, {"org_id": org_id, "send_ids": list(send_ids)})
    return {row[0]: SendFacts(*row) for row in await cursor.fetchall()}


async def describe(
    conn: Connection,
    org_id: int,
    *,
    sends: Sequence[int],
    messages: Sequence[tuple[int, int]],
    contacts: Sequence[int],
) -> tuple[dict[int, SendFacts], dict[tuple[int, int], MessageFacts], dict[int, ContactFacts]]:
    """Facts of sends, of messages by (send_id, ordinal), and of contacts, in one round trip. Within a transaction, which is
    planned by key from here on."""
    async with conn.pipeline():
        await plans.by_key(conn)
        of_sends = await conn.execute(q.describe_sends, {"org_id": org_id, "send_ids": list(sends)})
        of_contacts = await conn.execute(
            q.describe_contacts, {"org_id": org_id, "contact_ids": pack_numbers(contacts)}
        )
        of_messages = await conn.execute(
            q.describe_messages,
            {
                "org_id": org_id,
                "sends": pack_numbers(send_id for send_id, _ in messages),
                "ordinals": pack_numbers(ordinal for _, ordinal in messages),
            },
        )
    told = await of_messages.fetchall()
    return (
        {row[0]: SendFacts(*row) for row in await of_sends.fetchall()},
        {message: MessageFacts(*row) for message, row in zip(messages, told, strict=True)},
        {row[0]: ContactFacts(*row) for row in await of_contacts.fetchall()},
    )


async def daily_messages(
    conn: Connection, org_id: int, first: date, last: date, start: datetime, end: datetime, zone: tzinfo
) -> list[tuple[date, str, int]]:
    """(day, channel, messages sent); `start` and `end` are the bounds of the days in the zone."""
    cursor = await conn.execute(
        q.daily_messages,
        {"org_id": org_id, "first": first, "last": last, "start": start, "end": end, "zone": str(zone)},
    )
    return await cursor.fetchall()


async def contact_ids(conn: Connection, org_id: int, by: str, value: int | str) -> list[int]:
    """`by`: `contact_id`, `external_id`, `email` or `phone`."""
    queries = {
        "contact_id": q.contacts_by_id,
        "external_id": q.contacts_by_external_id,
        "email": q.contacts_by_email,
        "phone": q.contacts_by_phone,
    }
    cursor = await conn.execute(queries[by], {"org_id": org_id, by: value})
    return [contact_id for (contact_id,) in await cursor.fetchall()]


async def messages_of_contacts(
    conn: Connection,
    org_id: int,
    contacts: Sequence[int],
    *,
    start: datetime,
    end: datetime,
    channels: Sequence[str] | None,
    skip: int,
    rows: int,
) -> list[SentMessage]:
    cursor = await conn.execute(
        q.messages_of_contacts,
        {
            "org_id": org_id,
            "contacts": list(contacts),
            "start": start,
            "end": end,
            "channels": None if channels is None else list(channels),
            "skip": skip,
            "rows": rows,
        },
    )
    return [SentMessage(*row) for row in await cursor.fetchall()]


async def happened_to_messages(
    conn: Connection, org_id: int, contacts: Sequence[int], sends: Sequence[int], since: datetime
) -> list[tuple[int, int, str]]:
    """(send_id, ordinal, status), each once."""
    cursor = await conn.execute(
        q.happened_to_messages,
        {"org_id": org_id, "contacts": list(contacts), "sends": list(sends), "since": since},
    )
    return await cursor.fetchall()
