"""Opens, clicks and unsubscribes that come in from messages. Group-committed: the answer follows the commit.

GET and HEAD never change consent (reliability 17); they count opens and clicks, nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
    """An open (`READ`) or a click (`CLICKED`) of one message."""

    recipient: Recipient
    status: str
    at: datetime
    link_no: int | None = None
    url: str | None = None
    user_agent: str = ""


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
    if not hit.user_agent:
        return None
    return msgspec.json.encode({"ua": hit.user_agent[:USER_AGENT_LENGTH]}).decode()


@dataclass(frozen=True, slots=True)
class OptOut:
    """Somebody pressed unsubscribe in a message."""

    recipient: Recipient
    source: str
    at: datetime
    reason: str | None = None


async def opt_out(connection: Connection, org_id: int, items: Sequence[OptOut]) -> list[str | None]:
    """Unsubscribes the addresses the messages went to. Idempotent: the second time changes nothing and counts
    nothing. A token has no consent of its own: who wants no more pushes takes it away. Returns the addresses."""
    cursor = await connection.execute(
        q.addresses_of,
        {
            "org_id": org_id,
            "sends": [item.recipient.send_id for item in items],
            "ordinals": [item.recipient.ordinal for item in items],
            "contacts": [item.recipient.contact_id for item in items],
        },
    )
    found = await cursor.fetchall()
    addresses: list[str | None] = [row[1] for row in found]
    wanted = [
        Unsubscribe(
            kind=ADDRESS_KIND[row[2]],
            value=row[1],
            contact_id=item.recipient.contact_id,
            source=item.source,
            reason=item.reason,
            send_id=item.recipient.send_id,
        )
        for row, item in zip(found, items, strict=True)
        if row[1] is not None and row[2] in ADDRESS_KIND
    ]
    changed = await unsubscribe(connection, org_id, wanted)
    first = {(u.kind, u.value) for u in changed}
    hits = []
    for row, item in zip(found, items, strict=True):
        key = (ADDRESS_KIND.get(row[2]), row[1])
        if key in first:
            first.discard(key)
            hits.append(Hit(item.recipient, "UNSUBSCRIBED", item.at, user_agent=""))
    if hits:
        await record_hits(connection, org_id, hits)
    return addresses
