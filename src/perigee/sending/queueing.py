"""Queues one message for named people: found or made, frozen, and committed before the caller hears of it.

A call is one send in the lane that goes before campaigns, in a number of statements that does not depend on how many
recipients it has. Messages with subscription categories obey consent like a campaign's; the others are transactional
and obey the blacklist alone (product 8). Who may get it is judged by the sender right before sending, so a queued
message can still end as dropped, which its status then says (contract 19.5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from perigee.db import plans
from perigee.db.group_commit import run_set
from perigee.db.pool import Connection, Database
from perigee.delivery import freeze
from perigee.delivery.freeze import Frozen
from perigee.delivery.suppression import by_token
from perigee.sending import people, store
from perigee.sending.store import Place, Row
from perigee.sending.types import Queued, Recipient, Refused

BATCH = 1_000
"""Recipients per batch: a usual call is one batch, in which copies for one address are seen together."""

_LACKS = {"email": "email", "sms": "phone", "viber": "phone"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """`once`: one copy per address, as for a segment; else everybody named gets one."""

    frozen: Frozen
    recipients: Sequence[Recipient | Refused]
    once: bool = False


class Outcome(NamedTuple):
    """`send_id` is None when nobody was left to send to."""

    send_id: int | None
    results: list[Queued | Refused]


async def queue(
    database: Database, org_id: int, wanted: Wanted, *, now: datetime, public_url: str
) -> Outcome:
    """Commits. Raises Invalid when the message cannot be sent at all; a recipient at fault is refused alone."""

    async def apply(conn: Connection, org_id: int, items: Sequence[Wanted]) -> list[Outcome]:
        return [await _queue(conn, org_id, one, now, public_url) for one in items]

    (done,) = await run_set(database, apply, org_id, [wanted])
    if isinstance(done, Exception):
        raise done
    return done


async def _queue(conn: Connection, org_id: int, wanted: Wanted, now: datetime, public_url: str) -> Outcome:
    await plans.by_key(conn)
    channel = wanted.frozen.channel
    named = list(dict.fromkeys(one for one in wanted.recipients if isinstance(one, Recipient)))
    contacts = await people.find_or_make(conn, org_id, channel, named) if named else []
    known = sorted({one for one in contacts if isinstance(one, int)})
    places = await store.places(conn, org_id, channel, known) if known else {}
    rows: list[Row] = []
    results: dict[Recipient, Queued | Refused] = {}
    seen: dict[str, int] = {}
    for one, contact in zip(named, contacts, strict=True):
        if isinstance(contact, str):
            results[one] = Refused(one.shown, contact)
            continue
        reached = _reached(channel, one, places.get(contact, []))
        if not reached:
            lacks = _LACKS.get(channel, "active token")
            results[one] = Refused(one.shown, f"Contact with id='{contact}' has no {lacks}")
            continue
        if wanted.once and reached[0].address in seen:
            results[one] = Queued(one.shown, seen[reached[0].address])
            continue
        shown = one.shown if one.kind in ("email", "phone", "token") else reached[0].address
        results[one] = Queued(shown, len(rows))
        seen[reached[0].address] = len(rows)
        rows += [
            Row(place.recipient, contact, one.external_request_id, one.language, one.data)
            for place in reached
        ]
    send_id = await _insert(conn, org_id, wanted.frozen, rows, now, public_url) if rows else None
    return Outcome(
        send_id, [results[one] if isinstance(one, Recipient) else one for one in wanted.recipients]
    )


def _reached(channel: str, one: Recipient, places: list[Place]) -> list[Place]:
    """A person has one address, but as many tokens as devices: all of them, unless one is named."""
    if by_token(channel) and one.kind == "token":
        return [place for place in places if place.address == one.value][:1]
    return places


async def _insert(
    conn: Connection, org_id: int, frozen: Frozen, rows: Sequence[Row], now: datetime, public_url: str
) -> int:
    send_id = await freeze.insert_send(
        conn,
        org_id,
        frozen,
        kind="single",
        started_at=now,
        campaign_id=None,
        marketing=bool(frozen.content.categories),
        public_url=public_url,
    )
    await store.insert_messages(conn, org_id, send_id, rows, batch_size=BATCH)
    return send_id
