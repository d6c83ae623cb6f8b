"""A batch in somebody's hands: claim it, write its windows, give it back. SQL and reasons in `queries.sql`."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from perigee.db.columns import pack, pack_numbers
from perigee.db.pool import Connection, Database
from perigee.db.queries import load

q = load(__package__)


class Lane(IntEnum):
    """Which batches a sender asks for: single messages, by call or as a test, never wait behind a campaign."""

    SINGLE = 0
    CAMPAIGN = 1


HELD = frozenset({"sms", "viber"})
"""Channels whose messages nobody sends again before a report says what became of them: a second one costs money and
patience, and no receiver tells it from the first (reliability 11)."""
REPEATABLE = frozenset({"appinbox", "webhook"})
"""Channels whose receivers know a message by its id, however often it comes: nothing of theirs is ever uncertain."""


@dataclass(frozen=True, slots=True)
class Lease:
    """`recipients` and `ordinals` are parallel; `position` and all indexes count into them. `windows`: how many were
    committed before. `first_at`: when the messages were first handed to a channel; None: not yet."""

    org_id: int
    send_id: int
    batch_no: int
    epoch: int
    recipients: list[int]
    ordinals: list[int]
    attempt: int
    position: int
    in_flight: list[int]
    lane: int
    windows: int
    first_at: datetime | None
    owner: uuid.UUID

    def tried_for(self) -> float:
        """Seconds since the first attempt; 0 when this is it."""
        return (datetime.now(UTC) - self.first_at).total_seconds() if self.first_at else 0.0

    @property
    def key(self) -> dict[str, Any]:
        return {
            "org_id": self.org_id,
            "send_id": self.send_id,
            "batch_no": self.batch_no,
            "owner": self.owner,
            "epoch": self.epoch,
        }


@dataclass(slots=True)
class Entry:
    """A line of the ledger in the making."""

    ordinal: int
    contact_id: int
    address: str | None
    outcome: str
    reason: str | None = None
    text: str | None = None
    language: str | None = None
    provider_ids: tuple[str, ...] = ()


@dataclass(slots=True)
class Retry:
    ordinal: int
    recipient: int
    attempt: int
    wait: float
    reason: str
    held: bool = False
    """Never begun: it waits for room under a limit of ours."""
    tried: bool = False
    """It was handed to a channel."""


@dataclass(slots=True)
class Window:
    """One commit: outcomes of messages that are over, intent for messages that come next.

    `position` and `in_flight` hold while the send runs; the `still_` ones, without the new intent, when it was
    paused or stopped meanwhile. `provider_id` carried the messages; `reports` is its channel's.
    """

    entries: list[Entry] = field(default_factory=list)
    retries: list[Retry] = field(default_factory=list)
    position: int = 0
    still_position: int = 0
    in_flight: list[int] = field(default_factory=list)
    still_in_flight: list[int] = field(default_factory=list)
    done: bool = False
    provider_id: int = 0
    reports: bool = False
    number: int = 0


async def claim(
    database: Database,
    owner: uuid.UUID,
    lease_seconds: float,
    lane: Lane,
    *,
    stalled: Sequence[tuple[int, str]] = (),
    served: Sequence[int] = (),
) -> Lease | None:
    """The next due batch of the lane, or None. `stalled`: organisations and their channels of which no provider takes
    anything now; `served`: organisations this process served lately, the last one at the end. What a dead holder left in flight is settled in the same transaction:
    marketing becomes *uncertain*, what is transactional or may be repeated is queued again (reliability 11)."""
    async with database.transaction() as connection:
        cursor = await connection.execute(
            q.claim_campaign_batch if lane is Lane.CAMPAIGN else q.claim_single_batch,
            {
                "owner": owner,
                "lease": lease_seconds,
                "stalled_orgs": [org_id for org_id, _ in stalled],
                "stalled_channels": [channel for _, channel in stalled],
                "served": list(served),
            },
        )
        row = await cursor.fetchone()
        if row is None:
            return None
        lease = Lease(*(*row, owner))
        if lease.in_flight:
            await _settle(connection, lease)
    return lease


async def _settle(connection: Connection, lease: Lease) -> None:
    row = await (
        await connection.execute(q.get_send, {"org_id": lease.org_id, "send_id": lease.send_id})
    ).fetchone()
    assert row is not None
    channel, marketing = row[3], row[6]
    uncertain = (marketing or channel in HELD) and channel not in REPEATABLE
    await connection.execute(
        q.settle_uncertain if uncertain else q.requeue_uncertain, {**lease.key, "attempt": lease.attempt}
    )


async def commit(connection: Connection, lease: Lease, window: Window, lease_seconds: float) -> str | None:
    """Writes a window. Returns the state of the send, or None when the batch is not ours any more: then nothing
    was written and nothing more may be sent. Raises UniqueViolation when an address got two copies."""
    entries, retries = window.entries, window.retries
    named = [(name, e) for e in entries for name in e.provider_ids] if window.provider_id > 0 else []
    counts = {"sent": 0, "failed": 0, "dropped": 0, "uncertain": 0}
    for entry in entries:
        counts[entry.outcome] += 1
    cursor = await connection.execute(
        q.commit_window,
        {
            **lease.key,
            **counts,
            "retried": sum(not r.held for r in retries),
            "held": sum(r.held for r in retries),
            "windows": window.number,
            "attempt": lease.attempt,
            "position": window.position,
            "still_position": window.still_position,
            "in_flight": pack_numbers(window.in_flight),
            "still_in_flight": pack_numbers(window.still_in_flight),
            "lease": lease_seconds,
            "done": window.done,
            "provider_id": window.provider_id,
            "reports": window.reports,
            "named": [name[:200] for name, _ in named],
            "named_ordinals": pack_numbers(e.ordinal for _, e in named),
            "named_parts": pack_numbers(len(e.provider_ids) for _, e in named),
            "ordinals": pack_numbers(e.ordinal for e in entries),
            "contacts": pack_numbers(e.contact_id for e in entries),
            "addresses": pack(e.address for e in entries),
            "outcomes": pack(e.outcome for e in entries),
            "reasons": pack(e.reason for e in entries),
            "texts": pack(e.text or None for e in entries),
            "languages": pack(e.language for e in entries),
            "retry_ordinals": [r.ordinal for r in retries],
            "retry_recipients": [r.recipient for r in retries],
            "retry_attempts": [r.attempt for r in retries],
            "retry_waits": [r.wait for r in retries],
            "retry_reasons": [r.reason for r in retries],
            "retry_held": [r.held for r in retries],
            "retry_tried": [r.tried for r in retries],
        },
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def written(connection: Connection, lease: Lease, window: Window) -> str | None:
    """What `commit` would have answered, when it was written and only the answer was lost; None when it was not."""
    cursor = await connection.execute(
        q.window_written,
        {
            **lease.key,
            "windows": window.number,
            "position": window.position,
            "in_flight": window.in_flight,
        },
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def release(database: Database, lease: Lease, *, wait: float = 0.0) -> None:
    async with database.connection() as connection:
        await connection.execute(q.release_batch, {**lease.key, "wait": wait})
