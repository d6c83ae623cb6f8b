"""Opens, clicks and unsubscribes that come in from messages. Group-committed: the answer follows the commit.

GET and HEAD never change consent (reliability 17); they count opens and clicks, nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from perigee.contacts.unsubscribe import Unsubscribe, unsubscribe
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.delivery.suppression import ADDRESS_KIND
from perigee.messages.links import Recipient

q = load(__package__)

USER_AGENT_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Hit:
    """An open (`READ`) or a click (`CLICKED`) of one message. `machine`: why no person did it, where that is known."""

    recipient: Recipient
    status: str
    at: datetime
    link_no: int | None = None
    url: str | None = None
    user_agent: str = ""
    machine: str | None = None


async def record_hits(connection: Connection, org_id: int, hits: Sequence[Hit]) -> list[None]:
    """The set function behind the open pixel and the click redirect."""
    await connection.execute(
        q.record_hits,
        {
            "org_id": org_id,
            "sends": [hit.recipient.send_id for hit in hits],
            "ordinals": [hit.recipient.ordinal for hit in hits],
            "contacts": [hit.recipient.contact_id for hit in hits],
            "statuses": [hit.status for hit in hits],
            "links": [hit.link_no for hit in hits],
            "urls": [hit.url for hit in hits],
            "metas": [_meta(hit) for hit in hits],
            "ats": [hit.at for hit in hits],
        },
    )
    return [None] * len(hits)


def _meta(hit: Hit) -> str | None:
    members = {"ua": hit.user_agent[:USER_AGENT_LENGTH], "machine": hit.machine}
    told = {name: value for name, value in members.items() if value}
    return msgspec.json.encode(told).decode() if told else None


@dataclass(frozen=True, slots=True)
class OptOut:
    """Somebody pressed unsubscribe in a message."""

    recipient: Recipient
    source: str
    at: datetime
    reason: str | None = None
    detail: Mapping[str, str] = field(default_factory=dict)


async def reached_at(
    connection: Connection, org_id: int, recipients: Sequence[Recipient]
) -> list[tuple[str | None, str | None]]:
    """(address that the message went to, channel) of each; None where there is no such message or address."""
    cursor = await connection.execute(
        q.addresses_of,
        {
            "org_id": org_id,
            "sends": [one.send_id for one in recipients],
            "ordinals": [one.ordinal for one in recipients],
            "contacts": [one.contact_id for one in recipients],
        },
    )
    found = {n: (address, channel) for n, address, channel in await cursor.fetchall()}
    return [found.get(n, (None, None)) for n in range(1, len(recipients) + 1)]


async def opt_out(connection: Connection, org_id: int, items: Sequence[OptOut]) -> list[str | None]:
    """Unsubscribes the addresses the messages went to. Idempotent: the second time changes nothing and counts
    nothing. A token has no consent of its own: who wants no more pushes takes it away. Returns the addresses."""
    found = await reached_at(connection, org_id, [item.recipient for item in items])
    wanted = [
        Unsubscribe(
            kind=ADDRESS_KIND[channel],
            value=address,
            contact_id=item.recipient.contact_id,
            source=item.source,
            reason=item.reason,
            send_id=item.recipient.send_id,
            detail=item.detail,
        )
        for (address, channel), item in zip(found, items, strict=True)
        if address is not None and channel in ADDRESS_KIND
    ]
    changed = await unsubscribe(connection, org_id, wanted)
    first = {(u.kind, u.value) for u in changed}
    hits = []
    for (address, channel), item in zip(found, items, strict=True):
        key = (ADDRESS_KIND.get(channel or ""), address)
        if key in first:
            first.discard(key)
            hits.append(Hit(item.recipient, "UNSUBSCRIBED", item.at, user_agent=""))
    if hits:
        await record_hits(connection, org_id, hits)
    return [address for address, _ in found]
