"""What a person gets from an organisation, as they see it and change it themselves.

Everything is opt-out and opt-in at once: ticking an address again is its owner's word, for the page is reached by a
link that went to that owner alone; it lifts an unsubscribe and a complaint and confirms the address. Each change is
logged with its proof.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from perigee.consent import store
from perigee.consent.proof import Proof
from perigee.contacts.unsubscribe import Unsubscribe, unsubscribe
from perigee.db.pool import Connection
from perigee.delivery.suppression import ADDRESS_KIND
from perigee.delivery.tracking import OptOut, opt_out, reached_at
from perigee.errors import NotFound
from perigee.messages.links import Recipient
from perigee.segments import categories

SOURCE = "preferences"
ADDRESSES = ("email", "phone")
TOKENS = ("webpush", "mobilepush", "telegram")


class Category(NamedTuple):
    key: str
    name: str
    on: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """`channels`: kinds of address and of token that the person has, in the order of the page. `sent_to`: kind of the
    address that the message went to, '' for tokens."""

    categories: tuple[Category, ...]
    channels: Mapping[str, bool]
    addresses: Mapping[str, str]
    sent_to: str


@dataclass(frozen=True, slots=True)
class Wish:
    """`shown` and `on`: channels and `category:<key>` that the page showed, and those that are to be on. What came up
    since the page was shown is not touched."""

    shown: frozenset[str]
    on: frozenset[str]
    at: datetime
    proof: Proof
    reason: str | None = None

    def wants(self, name: str, now: bool) -> bool | None:
        """The new state; None: as it is."""
        wanted = name in self.on
        return wanted if name in self.shown and wanted != now else None


async def choices(connection: Connection, org_id: int, recipient: Recipient) -> Choices:
    """Raises NotFound for a person who is gone."""
    ((sent_to, channel),) = await reached_at(connection, org_id, [recipient])
    kind = ADDRESS_KIND.get(channel or "", "")
    named = {kind: sent_to} if kind and sent_to else {}
    found = await store.choices(connection, org_id, recipient.contact_id, named)
    if found is None:
        raise NotFound("no such person")
    listed, addresses, tokens = found
    channels = {kind: addresses[kind][1] for kind in ADDRESSES if kind in addresses}
    channels |= {kind: tokens[kind] for kind in TOKENS if kind in tokens}
    return Choices(
        tuple(Category(*one) for one in listed),
        channels,
        {kind: value for kind, (value, _) in addresses.items()},
        kind,
    )


async def save(connection: Connection, org_id: int, recipient: Recipient, wish: Wish) -> None:
    """Raises NotFound for a person who is gone."""
    now = await choices(connection, org_id, recipient)
    for kind in ADDRESSES:
        wanted = wish.wants(kind, now.channels[kind]) if kind in now.channels else None
        if wanted:
            await store.grant(
                connection,
                org_id,
                kind,
                now.addresses[kind],
                recipient,
                action="resubscribed",
                source=SOURCE,
                detail=wish.proof.detail(),
            )
        elif wanted is False:
            await _leave(connection, org_id, recipient, kind, now, wish)
    tokens = {kind: wish.wants(kind, now.channels[kind]) for kind in TOKENS if kind in now.channels}
    await store.set_tokens(
        connection,
        org_id,
        recipient,
        {kind: wanted for kind, wanted in tokens.items() if wanted is not None},
        source=SOURCE,
        reason=wish.reason,
        detail=wish.proof.detail(),
    )
    await _set_categories(connection, org_id, recipient, now, wish)


async def _leave(
    connection: Connection, org_id: int, recipient: Recipient, kind: str, now: Choices, wish: Wish
) -> None:
    """Of the address that the message went to it is also counted for that message."""
    if kind == now.sent_to:
        await opt_out(
            connection,
            org_id,
            [OptOut(recipient, SOURCE, wish.at, reason=wish.reason, detail=wish.proof.detail())],
        )
        return
    item = Unsubscribe(
        kind,
        now.addresses[kind],
        SOURCE,
        contact_id=recipient.contact_id,
        reason=wish.reason,
        send_id=recipient.send_id,
        detail=wish.proof.detail(),
    )
    await unsubscribe(connection, org_id, [item])


async def _set_categories(
    connection: Connection, org_id: int, recipient: Recipient, now: Choices, wish: Wish
) -> None:
    before = {one.key for one in now.categories if one.on}
    changes = {one.key: wish.wants(f"category:{one.key}", one.on) for one in now.categories}
    after = {key for key in changes if changes[key] or (changes[key] is None and key in before)}
    if after != before:
        await categories.set_for_contact(
            connection, org_id, recipient.contact_id, sorted(after), source=SOURCE
        )
