"""Opens, clicks and unsubscribes that come in from messages. Group-committed: the answer follows the commit.

GET and HEAD never change consent (reliability 17); they count opens and clicks, nothing else.

Members of `activity.meta` of a hit; what is not known is missing:

    ua       the User-Agent header, its first 300 characters
    device   desktop, mobile or tablet
    client   the mail program or browser, such as `Thunderbird` or `Mobile Safari`
    os       such as `iOS` or `Windows`
    proxy    `mail`: a person's open, fetched by their mail service; then place and device are unknown
    machine  why no person did it (`machines`): the row is kept and left out of every figure and segment

The link is `link_no`, the author's address of it `detail`, the moment `at`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from perigee.contacts.unsubscribe import Unsubscribe, unsubscribe
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.delivery import machines
from perigee.delivery.devices import MAX_HEADER, device_of
from perigee.delivery.machines import by_proxy
from perigee.delivery.suppression import ADDRESS_KIND
from perigee.messages.links import Recipient
from perigee.segments import kinds
from perigee.segments.live.notes import changed

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

    @property
    def key(self) -> tuple[int, int]:
        return self.recipient.send_id, self.recipient.ordinal


@dataclass(frozen=True, slots=True)
class _Near:
    """What is known of a message when a hit of it comes in: when it was delivered, which of its links were clicked in
    the last second, whether its trap was followed in the last minute."""

    channel: str = ""
    delivered_at: datetime | None = None
    links: frozenset[int] = frozenset()
    trapped: bool = False


async def record_hits(connection: Connection, org_id: int, hits: Sequence[Hit]) -> list[None]:
    """The set function behind the open pixel and the click redirect: looks around once, judges, writes, and marks what
    machines did before they were recognised. No statement per hit."""
    reasons = _judged(hits, await _near(connection, org_id, hits))
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
            "metas": [_meta(hit, reason) for hit, reason in zip(hits, reasons, strict=True)],
            "ats": [hit.at for hit in hits],
        },
    )
    await _mark_earlier(connection, org_id, hits, reasons)
    await changed(connection, org_id, [hit.recipient.contact_id for hit in hits], kinds.ACTIVITY)
    return [None] * len(hits)


async def _near(connection: Connection, org_id: int, hits: Sequence[Hit]) -> dict[tuple[int, int], _Near]:
    """By send and ordinal, of opens and clicks."""
    recipients = {hit.recipient for hit in hits if hit.status in ("READ", "CLICKED")}
    if not recipients:
        return {}
    cursor = await connection.execute(
        q.near_hits,
        {
            "org_id": org_id,
            "sends": [one.send_id for one in recipients],
            "ordinals": [one.ordinal for one in recipients],
            "contacts": [one.contact_id for one in recipients],
            "window": machines.TRAP_WINDOW,
            "burst": machines.BURST,
        },
    )
    return {
        (send_id, ordinal): _Near(channel, delivered_at, frozenset(links or ()), bool(trapped))
        for send_id, ordinal, channel, delivered_at, links, trapped in await cursor.fetchall()
    }


def _judged(hits: Sequence[Hit], near: Mapping[tuple[int, int], _Near]) -> list[str | None]:
    """Why each hit is a machine's; None for a person's. Hits of one call came in together. Pure."""
    clicked: dict[tuple[int, int], set[int]] = {}
    trapped: set[tuple[int, int]] = set()
    for hit in hits:
        if hit.machine == "trap":
            trapped.add(hit.key)
        elif hit.status == "CLICKED" and hit.link_no is not None:
            clicked.setdefault(hit.key, set()).add(hit.link_no)
    return [
        _reason(hit, near.get(hit.key, _Near()), hit.key in trapped, clicked.get(hit.key, set()))
        for hit in hits
    ]


def _reason(hit: Hit, near: _Near, trapped: bool, clicked: set[int]) -> str | None:
    if hit.machine or hit.status not in ("READ", "CLICKED"):
        return hit.machine
    if trapped or near.trapped:
        return "trap"
    if hit.status == "CLICKED" and machines.is_burst(clicked | near.links):
        return "burst"
    if hit.status == "CLICKED" and machines.too_early(near.channel, hit.at, near.delivered_at):
        return "early"
    return None


async def _mark_earlier(
    connection: Connection, org_id: int, hits: Sequence[Hit], reasons: Sequence[str | None]
) -> None:
    """A trap or a burst says what the hits just before it were."""
    windows = {"trap": machines.TRAP_WINDOW, "burst": machines.BURST}
    found = {
        (hit.recipient, reason)
        for hit, reason in zip(hits, reasons, strict=True)
        if reason == "burst" or hit.machine == "trap"
    }
    if found:
        marks = [(one, str(reason), windows[str(reason)]) for one, reason in found]
        await connection.execute(
            q.mark_machine_hits,
            {
                "org_id": org_id,
                "sends": [one.send_id for one, _, _ in marks],
                "ordinals": [one.ordinal for one, _, _ in marks],
                "contacts": [one.contact_id for one, _, _ in marks],
                "reasons": [reason for _, reason, _ in marks],
                "windows": [window for _, _, window in marks],
            },
        )


def _meta(hit: Hit, reason: str | None) -> str | None:
    members = {"ua": hit.user_agent[:USER_AGENT_LENGTH], **device_of(hit.user_agent[:MAX_HEADER])}
    if reason:
        members["machine"] = reason
    if by_proxy(hit.user_agent):
        members["proxy"] = "mail"
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
