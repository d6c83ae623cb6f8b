"""Freezing a message into a send: what is sent is what the message was at that moment, whatever becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.delivery.rendering import Content

q = load(__package__)


@dataclass(frozen=True, slots=True)
class Frozen:
    """`message_id` None: written for this send alone (contract 19.2 - 19.4)."""

    message_id: int | None
    channel: str
    name: str
    tags: list[str]
    content: Content

    @property
    def sender(self) -> str:
        """Whom the default version comes from; '' for channels without a sender."""
        return str(self.content.versions.get(self.content.default, {}).get("from", ""))


async def message(connection: Connection, org_id: int, message_id: int) -> Frozen | None:
    """A template with all its versions; None when there is no such message."""
    row = await (
        await connection.execute(q.get_frozen_message, {"org_id": org_id, "message_id": message_id})
    ).fetchone()
    if row is None:
        return None
    message_id, channel, name, tags, categories, language, engine, versions = row
    content = Content(
        default=language, versions=versions or {}, name=name, engine=engine, categories=categories
    )
    return Frozen(message_id, channel, name, tags, await surround(connection, org_id, content))


async def surround(connection: Connection, org_id: int, content: Content) -> Content:
    """The content with what of the organisation goes into messages."""
    row = await (await connection.execute(q.surroundings, {"org_id": org_id})).fetchone()
    assert row is not None
    name, address, field_keys = row
    return msgspec.structs.replace(content, organisation=name, postal_address=address, field_keys=field_keys)


async def insert_send(
    connection: Connection,
    org_id: int,
    frozen: Frozen,
    *,
    kind: str,
    started_at: datetime,
    campaign_id: int | None,
    marketing: bool,
    provider_id: int,
) -> int:
    """The id of the new send, which has no batches yet. `kind`: campaign, single or test."""
    row = await (
        await connection.execute(
            q.insert_send,
            {
                "org_id": org_id,
                "started_at": started_at,
                "kind": kind,
                "channel": frozen.channel,
                "campaign_id": campaign_id,
                "message_id": frozen.message_id,
                "name": frozen.name,
                "tags": frozen.tags,
                "marketing": marketing,
                "provider_id": provider_id,
                "content": msgspec.json.encode(frozen.content).decode(),
                "sender": frozen.sender,
            },
        )
    ).fetchone()
    assert row is not None
    return int(row[0])
