"""What was sent to one person, and how far each message got (contract 11.4). Read from the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from perigee.db import plans
from perigee.db.pool import Connection
from perigee.errors import NotFound
from perigee.reports import store
from perigee.reports.period import Period
from perigee.reports.store import SendFacts, SentMessage

FURTHEST = ("SENT", "DELIVERED", "UNDELIVERED", "READ", "CLICKED", "UNSUBSCRIBED", "SPAM")
"""How far a message got, from the least. A bounce that comes later takes a delivery back; who read it, got it."""

_RANK = {status: rank for rank, status in enumerate(FURTHEST)}
_OF_OUTCOME = {"sent": "DELIVERED", "failed": "UNDELIVERED", "uncertain": "SENT"}

REPORTED = frozenset({"mobilepush"})
"""Channels on which the provider's acceptance is no delivery yet: the application reports that (TRACKING 6.1). On
others it depends on the provider: one that reports deliveries has SENT recorded first."""


@dataclass(frozen=True, slots=True)
class Entry:
    message: SentMessage
    send: SendFacts
    status: str


async def find_person(conn: Connection, org_id: int, by: str, value: int | str) -> list[int]:
    """`by`: `contact_id`, `external_id`, `email` or `phone`. Several people may hold one address. Raises NotFound."""
    found = await store.contact_ids(conn, org_id, by, value)
    if not found:
        raise NotFound(f"Contact with {by.replace('_', ' ')} '{str(value)[:80]}' is not found")
    return found


async def read_history(
    conn: Connection,
    org_id: int,
    contacts: Sequence[int],
    period: Period,
    *,
    channels: Sequence[str] | None,
    skip: int,
    rows: int,
) -> list[Entry]:
    """The messages of the period, the newest first. Within a transaction, which is planned by key from here on."""
    await plans.by_key(conn)
    messages = await store.messages_of_contacts(
        conn, org_id, contacts, start=period.start, end=period.end, channels=channels, skip=skip, rows=rows
    )
    if not messages:
        return []
    send_ids = sorted({message.send_id for message in messages})
    sends = await store.describe_sends(conn, org_id, send_ids)
    happened = await store.happened_to_messages(
        conn, org_id, contacts, send_ids, min(message.started_at for message in messages)
    )
    reached: dict[tuple[int, int], list[str]] = {}
    for send_id, ordinal, status in happened:
        reached.setdefault((send_id, ordinal), []).append(status)
    return [
        Entry(
            message,
            sends[message.send_id],
            furthest(
                message.outcome,
                sends[message.send_id].channel,
                reached.get((message.send_id, message.ordinal), ()),
            ),
        )
        for message in messages
    ]


def furthest(outcome: str, channel: str, statuses: Sequence[str]) -> str:
    """The status of a message by its line in the ledger and what was recorded of it since. Pure."""
    reported = channel in REPORTED or "SENT" in statuses
    first = "SENT" if outcome == "sent" and reported else _OF_OUTCOME[outcome]
    return max((first, *statuses), key=_RANK.__getitem__)
