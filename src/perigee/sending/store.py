"""Typed access for sending."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from perigee.db.columns import pack, pack_numbers
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.delivery.suppression import TOKEN_KIND, address_join
from perigee.sending.types import Recipient

q = load(__package__)


class Place(NamedTuple):
    """Where a channel reaches a contact: `recipient` is what a batch holds."""

    recipient: int
    address: str


class Row(NamedTuple):
    """One message of a send; its number is its place in the list."""

    recipient: int
    contact_id: int
    external_request_id: str | None
    language: str | None
    data: str | None


class State(NamedTuple):
    """`outcome` and `reason` of the ledger, null before it has its line; `statuses` of what the recipient did and, on push channels, of
    what the application said of the delivery."""

    channel: str
    outcome: str | None
    reason: str | None
    waiting: bool
    statuses: list[str]


class CalloutRow(NamedTuple):
    title: str
    segment_id: int
    segment: str
    started_at: datetime
    sent: int
    failed: int


async def find_contacts(
    conn: Connection, org_id: int, channel: str, recipients: Sequence[Recipient]
) -> list[int | None]:
    cursor = await conn.execute(
        q.find_contacts,
        {
            "org_id": org_id,
            "kinds": pack(one.kind for one in recipients),
            "values": pack(one.value for one in recipients),
            "token_kind": TOKEN_KIND.get(channel, channel),
        },
    )
    return [contact_id for _, contact_id in await cursor.fetchall()]


async def places(
    conn: Connection, org_id: int, channel: str, contact_ids: Sequence[int]
) -> dict[int, list[Place]]:
    """Of each contact that the channel reaches; of several tokens the one used last goes first."""
    newest = "a.updated_at desc" if channel in TOKEN_KIND else "a.recipient"
    statement = f"""select c.contact_id, a.recipient, a.address from contact c {address_join(channel)}
        where c.org_id = %(org_id)s and c.contact_id = any(%(ids)s::bigint[]) and a.address is not null
        order by c.contact_id, {newest}"""  # noqa: S608
    cursor = await conn.execute(
        statement.encode(), {"org_id": org_id, "ids": list(contact_ids), "app_id": None}
    )
    found: dict[int, list[Place]] = {}
    for contact_id, recipient, address in await cursor.fetchall():
        found.setdefault(contact_id, []).append(Place(recipient, address))
    return found


async def insert_messages(
    conn: Connection, org_id: int, send_id: int, rows: Sequence[Row], *, batch_size: int
) -> None:
    """Batches, and what the caller said of recipients."""
    key = {"org_id": org_id, "send_id": send_id}
    recipients = pack_numbers(row.recipient for row in rows)
    await conn.execute(q.insert_batches, {**key, "recipients": recipients, "size": batch_size})
    await conn.execute(q.count_recipients, {**key, "chosen": len(rows)})
    given = [
        (ordinal, row)
        for ordinal, row in enumerate(rows)
        if row.external_request_id is not None or row.language is not None or row.data is not None
    ]
    if given:
        await conn.execute(
            q.insert_recipients,
            {
                **key,
                "ordinals": pack_numbers(ordinal for ordinal, _ in given),
                "contacts": pack_numbers(row.contact_id for _, row in given),
                "requests": pack(row.external_request_id for _, row in given),
                "languages": pack(row.language for _, row in given),
                "data": pack(row.data for _, row in given),
            },
        )


async def states(
    conn: Connection, org_id: int, messages: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], State]:
    """(send_id, ordinal) → where it stands; unknown ones are missing."""
    cursor = await conn.execute(
        q.message_states,
        {
            "org_id": org_id,
            "sends": [send_id for send_id, _ in messages],
            "ordinals": [ordinal for _, ordinal in messages],
        },
    )
    return {
        messages[n - 1]: State(channel, outcome, reason, waiting, statuses)
        for n, channel, outcome, reason, waiting, statuses in await cursor.fetchall()
    }


async def callouts(conn: Connection, org_id: int, *, offset: int, rows: int) -> tuple[list[CalloutRow], int]:
    """(SMS campaigns, total)."""
    values: dict[str, Any] = {"org_id": org_id, "offset": offset, "rows": rows}
    found = await (await conn.execute(q.list_callouts, values)).fetchall()
    if found:
        return [CalloutRow(*row[:-1]) for row in found], int(found[0][-1])
    counted = await (await conn.execute(q.count_callouts, values)).fetchone()
    return [], int(counted[0]) if counted else 0
