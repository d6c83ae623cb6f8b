"""The sandbox: a provider for every channel that keeps the messages in the database and shows them.

A newcomer sees mail and SMS arrive without an account anywhere. It stands where the outside would stand, so it
writes in a transaction of its own and does not know the ledger; what arrived twice is shown twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from perigee.db.columns import pack, pack_numbers
from perigee.db.pool import Database
from perigee.db.queries import load
from perigee.delivery.channel import Medium, Outcome, Outgoing, Reason, Receipt, SetChannel

q = load(__package__)

SENT = Receipt(Outcome.SENT, text="kept in the sandbox")
NOT_ALLOWED = Receipt(Outcome.DEFERRED, Reason.LEASE_LOST, counted=False)


class SandboxSettings(msgspec.Struct, frozen=True):
    """Nothing to set."""


class SandboxChannel(SetChannel):
    medium = Medium.EMAIL
    media = frozenset(Medium)
    Settings = SandboxSettings

    def __init__(self, settings: SandboxSettings, *, database: Database, medium: str) -> None:
        super().__init__()
        self.channel = medium
        self.reports = medium == Medium.MOBILE_PUSH  # as the channel it stands for
        self._database = database

    async def send(self, batch: Sequence[Outgoing]) -> list[Receipt]:
        receipts = [SENT if m.allow_send is None or m.allow_send() else NOT_ALLOWED for m in batch]
        kept = [m for m, receipt in zip(batch, receipts, strict=True) if receipt is SENT]
        # One statement per organisation; in practice a process sends for one at a time.
        for org_id in {m.org_id for m in kept}:
            await self._keep(org_id, [m for m in kept if m.org_id == org_id])
        return receipts

    async def _keep(self, org_id: int, messages: list[Outgoing]) -> None:
        async with self._database.connection() as connection:
            await connection.execute(
                q.keep_messages,
                {
                    "org_id": org_id,
                    "channel": self.channel,
                    "sends": pack_numbers(m.send_id for m in messages),
                    "ordinals": pack_numbers(m.ordinal for m in messages),
                    "contacts": pack_numbers(m.contact_id for m in messages),
                    "addresses": pack(m.address for m in messages),
                    "senders": pack(m.sender or None for m in messages),
                    "bodies": [m.payload for m in messages],
                },
            )
