"""What reports mean for the addresses and tokens that their messages went to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from perigee.contacts.unsubscribe import Unsubscribe, unsubscribe
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.delivery.channel import Advice, EventType, Outcome, Receipt
from perigee.delivery.suppression import ADDRESS_KIND, TOKEN_KIND
from perigee.segments import kinds
from perigee.segments.live.notes import addresses_changed, changed

if TYPE_CHECKING:
    from perigee.delivery.events.apply import Located

q = load(__package__)
delivery = load("perigee.delivery")


async def follow(connection: Connection, org_id: int, applied: Sequence[Located]) -> None:
    """Set by set: dead addresses, blocked ones, dead tokens, complaints, unsubscriptions. A message whose ledger line has
    no address costs nobody anything."""
    with_address = [one for one in applied if one.address is not None]
    bounced = [one for one in with_address if one.report.type is EventType.BOUNCED]
    dead = [one for one in bounced if _advice(one) is Advice.SUPPRESS]
    for kind in sorted({ADDRESS_KIND[one.channel] for one in bounced if one.channel in ADDRESS_KIND}):
        await _suppress(connection, org_id, kind, _of(dead, kind, ADDRESS_KIND))
        full = [one for one in bounced if _advice(one) is Advice.BLOCK_FOR_DAYS]
        await _block(connection, org_id, kind, _of(full, kind, ADDRESS_KIND))
        unclear = [one for one in bounced if _advice(one) is Advice.SUPPRESS_IF_REPEATED]
        await _doubt(connection, org_id, kind, _of(unclear, kind, ADDRESS_KIND))
    for kind in sorted({TOKEN_KIND[one.channel] for one in dead if one.channel in TOKEN_KIND}):
        gone = [one.address for one in _of(dead, kind, TOKEN_KIND)]
        values = {"org_id": org_id, "kind": kind, "values": gone}
        cursor = await connection.execute(delivery.drop_tokens, values)
        losers = [contact_id for (contact_id,) in await cursor.fetchall()]
        await changed(connection, org_id, losers, kinds.TOKENS)
    people = [one for one in with_address if one.channel in ADDRESS_KIND]
    await _complain(connection, org_id, [o for o in people if o.report.type is EventType.COMPLAINED])
    await _unsubscribe(connection, org_id, [o for o in people if o.report.type is EventType.UNSUBSCRIBED])
    touched = [(ADDRESS_KIND[one.channel], str(one.address)) for one in people]
    await addresses_changed(connection, org_id, touched)


def _advice(one: Located) -> Advice:
    return Receipt(Outcome.FAILED, one.report.reason).advice


def _of(located: Iterable[Located], kind: str, kinds: dict[str, str]) -> list[Located]:
    return [one for one in located if kinds.get(one.channel) == kind]


async def _suppress(connection: Connection, org_id: int, kind: str, dead: Sequence[Located]) -> None:
    if dead:
        await connection.execute(
            delivery.suppress_addresses,
            {
                "org_id": org_id,
                "kind": kind,
                "sends": [one.send_id for one in dead],
                "values": [one.address for one in dead],
                "reasons": [one.report.text[:300] or str(one.report.reason) for one in dead],
            },
        )


async def _block(connection: Connection, org_id: int, kind: str, full: Sequence[Located]) -> None:
    if full:
        await connection.execute(
            delivery.block_addresses,
            {"org_id": org_id, "kind": kind, "values": [one.address for one in full]},
        )


async def _doubt(connection: Connection, org_id: int, kind: str, unclear: Sequence[Located]) -> None:
    if unclear:
        await connection.execute(
            delivery.doubt_addresses,
            {
                "org_id": org_id,
                "kind": kind,
                "sends": [one.send_id for one in unclear],
                "values": [one.address for one in unclear],
                "reasons": [one.report.text[:300] or str(one.report.reason) for one in unclear],
            },
        )


async def _complain(connection: Connection, org_id: int, complaints: Sequence[Located]) -> None:
    if complaints:
        await connection.execute(
            q.mark_complained,
            {
                "org_id": org_id,
                "kinds": [ADDRESS_KIND[one.channel] for one in complaints],
                "values": [one.address for one in complaints],
                "contacts": [one.contact_id for one in complaints],
                "sends": [one.send_id for one in complaints],
                "texts": [one.report.text[:300] or None for one in complaints],
            },
        )


async def _unsubscribe(connection: Connection, org_id: int, left: Sequence[Located]) -> None:
    await unsubscribe(
        connection,
        org_id,
        [
            Unsubscribe(
                kind=ADDRESS_KIND[one.channel],
                value=one.address or "",
                contact_id=one.contact_id,
                source="provider",
                reason=one.report.text[:300] or None,
                send_id=one.send_id,
            )
            for one in left
        ],
    )
