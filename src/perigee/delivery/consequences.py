"""What a provider's answer means beyond its own message: dead addresses, full mailboxes, providers at rest,
messages that must stop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import structlog

from perigee.bounces import brake
from perigee.db.pool import Database
from perigee.db.queries import load
from perigee.delivery import reactions
from perigee.delivery.channel import Advice, Receipt
from perigee.delivery.suppression import ADDRESS_KIND, TOKEN_KIND
from perigee.segments import kinds
from perigee.segments.live.notes import addresses_changed, changed

if TYPE_CHECKING:
    from perigee.delivery.batch import BatchRunner
    from perigee.delivery.sends import Send

log = structlog.get_logger()
q = load(__package__)

REST_SECONDS = 10.0
STOP_AFTER = 10
"""So many refusals of our message or our sender, and more than one in twenty of what was sent: the send pauses itself.
One odd receiver must not stop a campaign."""
REFUSED_SHARE = 20


async def follow(runner: BatchRunner, advised: list[tuple[str, Receipt]], answers: Mapping[str, int]) -> None:
    """Applies the advice of a window's receipts set-wise. `answers`: how many came from each destination."""
    by_advice: dict[Advice, list[tuple[str, Receipt]]] = {}
    for address, receipt in advised:
        by_advice.setdefault(receipt.advice, []).append((address, receipt))
    database, lease, send = runner.sender.database, runner.lease, runner.send
    kind = ADDRESS_KIND.get(send.channel)
    token_kind = TOKEN_KIND.get(send.channel)
    if kind:
        await _about_addresses(runner, kind, by_advice)
    if token_kind and (dead := by_advice.get(Advice.SUPPRESS)):
        async with database.transaction() as connection:
            cursor = await connection.execute(
                q.drop_tokens,
                {"org_id": lease.org_id, "kind": token_kind, "values": [token for token, _ in dead]},
            )
            losers = [contact_id for (contact_id,) in await cursor.fetchall()]
            await changed(connection, lease.org_id, losers, kinds.TOKENS)
    if trouble := by_advice.get(Advice.PAUSE_PROVIDER):
        receipt = trouble[-1][1]
        seconds = receipt.retry_after or REST_SECONDS
        runner.provider_rests = True
        runner.sender.resting.rest(send.org_id, runner.carrier.provider_id, seconds)
        log.warning(
            "provider rests",
            provider_id=runner.carrier.provider_id,
            seconds=seconds,
            reason=receipt.reason,
            text=receipt.text,
        )
    if send.channel == "email":
        await reactions.follow(runner, by_advice, answers)
    if (
        gone := by_advice.get(Advice.STOP_SEND)
    ) and send.kind == "campaign":  # a single message nobody could resume
        await pause_send(database, lease.org_id, lease.send_id, gone[-1][1].text)
    refused = by_advice.get(Advice.STOP_MESSAGE, []) + by_advice.get(Advice.PAUSE_SENDER, [])
    if refused and await _too_many(database, send, len(refused)):
        text = f"stopped after {STOP_AFTER} refusals: {refused[-1][1].text[:200] or refused[-1][1].reason}"
        await pause_send(database, lease.org_id, lease.send_id, text)


async def _about_addresses(
    runner: BatchRunner, kind: str, by_advice: dict[Advice, list[tuple[str, Receipt]]]
) -> None:
    lease = runner.lease
    dead = by_advice.get(Advice.SUPPRESS, [])
    unclear = by_advice.get(Advice.SUPPRESS_IF_REPEATED, [])
    full = by_advice.get(Advice.BLOCK_FOR_DAYS, [])
    if not (dead or unclear or full):
        return
    async with runner.sender.database.transaction() as connection:
        for statement, refused in ((q.suppress_addresses, dead), (q.doubt_addresses, unclear)):
            if refused:
                await connection.execute(
                    statement,
                    {
                        "org_id": lease.org_id,
                        "kind": kind,
                        "sends": [lease.send_id] * len(refused),
                        "values": [address for address, _ in refused],
                        "reasons": [receipt.text[:300] or str(receipt.reason) for _, receipt in refused],
                    },
                )
        if full:
            await connection.execute(
                q.block_addresses,
                {"org_id": lease.org_id, "kind": kind, "values": [address for address, _ in full]},
            )
        touched = [(kind, address) for address, _ in (*dead, *unclear, *full)]
        await addresses_changed(connection, lease.org_id, touched)
        if dead and runner.sender.settings.campaign_brake == "on":
            await brake.press(connection, lease.org_id, [lease.send_id])


async def _too_many(database: Database, send: Send, more: int) -> bool:
    refusals = send.count_refusals(more)
    if refusals < STOP_AFTER:
        return False
    async with database.connection() as connection:
        cursor = await connection.execute(q.sent_of_send, {"org_id": send.org_id, "send_id": send.send_id})
        row = await cursor.fetchone()
    if row is not None and refusals * REFUSED_SHARE <= row[0]:
        return False
    send.forget_refusals()  # whoever resumes it has looked
    return True


async def pause_send(database: Database, org_id: int, send_id: int, error: str) -> None:
    """Stops a send until a person has looked; `error` is shown to them."""
    log.error("send paused", send_id=send_id, error=error)
    async with database.transaction() as connection:
        await connection.execute(q.pause_send, {"org_id": org_id, "send_id": send_id, "error": error})


async def finish(database: Database, org_id: int | None = None, send_id: int | None = None) -> None:
    """Marks a send as finished when all its batches are through and nobody waits for a retry; without ids, all."""
    async with database.transaction() as connection:
        await connection.execute(q.finish_sends, {"org_id": org_id, "send_id": send_id})
