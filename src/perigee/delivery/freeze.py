"""Freezing a message into a send: what is sent is what the message was at that moment, whatever becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.delivery.hours import Hours
from perigee.delivery.providers import pick_provider
from perigee.delivery.rendering import Content, compile_content, stored_links
from perigee.domains.ready import require_ready
from perigee.lib.tokens import digest
from perigee.messages.utm import Utm, of_organisation, tags_of
from perigee.messages.version import parse_sender

q = load(__package__)


@dataclass(frozen=True, slots=True)
class Frozen:
    """`message_id` None: written for this send alone (contract 19.2 - 19.4). `utm`: the message's settings over the
    organisation's."""

    message_id: int | None
    channel: str
    name: str
    tags: list[str]
    content: Content
    utm: Utm

    @property
    def sender(self) -> str:
        """Whom the default version comes from; '' for channels without a sender."""
        return str(self.content.versions.get(self.content.default, {}).get("from", ""))

    @property
    def senders(self) -> list[str]:
        """The addresses that the versions of an email come from. Raises Invalid for what is none."""
        return [parse_sender(str(version.get("from", "")))[1] for version in self.content.versions.values()]


async def message(connection: Connection, org_id: int, message_id: int) -> Frozen | None:
    """A template with all its versions; None when there is no such message."""
    row = await (
        await connection.execute(q.get_frozen_message, {"org_id": org_id, "message_id": message_id})
    ).fetchone()
    if row is None:
        return None
    message_id, channel, name, tags, categories, language, engine, utm, versions = row
    content = Content(
        default=language, versions=versions or {}, name=name, engine=engine, categories=categories
    )
    content, below = await surround(connection, org_id, content)
    return Frozen(message_id, channel, name, tags, content, msgspec.convert(utm, Utm).over(below))


async def surround(connection: Connection, org_id: int, content: Content) -> tuple[Content, Utm]:
    """The content with what of the organisation goes into messages, and how its links are tagged."""
    row = await (await connection.execute(q.surroundings, {"org_id": org_id})).fetchone()
    assert row is not None
    name, address, settings, field_keys = row
    content = msgspec.structs.replace(
        content,
        organisation=name,
        postal_address=address,
        field_keys=field_keys,
        trap=settings.get("honeypot") is not False,
    )
    return content, of_organisation(settings)


async def insert_send(
    connection: Connection,
    org_id: int,
    frozen: Frozen,
    *,
    kind: str,
    started_at: datetime,
    campaign_id: int | None,
    marketing: bool,
    public_url: str,
    title: str = "",
    hours: Hours | None = None,
    credits: int = 0,
) -> int:
    """The id of the new send, which has no batches yet, through the organisation's first provider of the channel.

    `kind`: campaign, single or test; `title`, `hours` in which it may be sent and `credits` that each message costs:
    the campaign's. Raises Invalid when the message does not compile or no provider is set up, and for marketing email
    from a domain that is not ready (`domains.ready`).
    """
    provider_id = await pick_provider(connection, org_id, frozen.channel)
    if marketing and frozen.channel == "email":
        await require_ready(connection, org_id, frozen.senders, provider_id)
    content_digest = await _keep_content(connection, org_id, frozen, public_url)
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
                "digest": content_digest,
                "sender": frozen.sender,
                "hours": None if hours is None else msgspec.json.encode(hours).decode(),
                "credits": credits,
                "utm": _tags(frozen, started_at, campaign_id, title),
            },
        )
    ).fetchone()
    assert row is not None
    return int(row[0])


def _tags(frozen: Frozen, started_at: datetime, campaign_id: int | None, title: str) -> str | None:
    values = {
        "channel": frozen.channel,
        "campaign": title or frozen.name,
        "campaign_id": str(campaign_id or ""),
        "message": frozen.name,
        "message_id": str(frozen.message_id or ""),
        "tags": ",".join(frozen.tags),
        "date": f"{started_at:%Y-%m-%d}",
    }
    return tags_of(frozen.utm, frozen.channel, values)


async def keep_variant(connection: Connection, org_id: int, frozen: Frozen, public_url: str) -> bytes:
    """The digest of a content for part of a campaign's send. Raises Invalid as `insert_send` does."""
    if frozen.channel == "email":
        provider_id = await pick_provider(connection, org_id, frozen.channel)
        await require_ready(connection, org_id, frozen.senders, provider_id)
    return await _keep_content(connection, org_id, frozen, public_url)


async def _keep_content(connection: Connection, org_id: int, frozen: Frozen, public_url: str) -> bytes:
    """The content's digest. Raises Invalid for one that does not compile. Content that is new is compiled, so that what cannot be sent is refused now; that of an
    earlier send has been. The numbers of its links depend on nothing but the content."""
    written = msgspec.json.encode(frozen.content, order="deterministic")
    mark = digest(frozen.channel.encode() + written)
    key = {"org_id": org_id, "digest": mark}
    if await (await connection.execute(q.has_content, key)).fetchone():
        return mark
    compiled = compile_content(
        frozen.channel,
        frozen.content,
        public_url=public_url,
        org_id=org_id,
        campaign_id=None,
        marketing=True,
    )
    await connection.execute(q.insert_content, {**key, "content": written.decode()})
    links = stored_links(compiled)
    if links:
        await connection.execute(
            q.insert_links,
            {
                **key,
                "languages": [link.language for link in links],
                "numbers": [link.number for link in links],
                "urls": [link.url for link in links],
            },
        )
    return mark
