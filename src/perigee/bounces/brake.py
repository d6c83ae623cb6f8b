"""The automatic brake: a campaign that many complain about, or that goes to many dead addresses, pauses itself before it
costs the sender its good name (protocols 2.5)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import structlog

from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.delivery.channel import Advice, Outcome, Reason, Receipt

log = structlog.get_logger()
q = load(__package__)
delivery = load("perigee.delivery")

FIRST: Final = 1000
"""Hard bounces are counted among so many messages of a campaign, by their number."""
BOUNCED_PER_MILLE: Final = 20
COMPLAINED_PER_MILLE: Final = 1
FEWEST: Final = 10
"""Below so many the share says nothing."""
HARD: Final = tuple(
    str(reason) for reason in Reason if Receipt(Outcome.FAILED, reason).advice is Advice.SUPPRESS
)


async def press(connection: Connection, org_id: int, send_ids: Collection[int]) -> None:
    """Looks at the figures of these sends and pauses the campaigns among them that are beyond a limit, each once for
    each limit: whoever resumes one has looked. The caller commits."""
    if not send_ids:
        return
    cursor = await connection.execute(
        q.brake_figures,
        {"org_id": org_id, "sends": sorted(send_ids), "hard": list(HARD), "first": FIRST},
    )
    for send_id, brakes, first, hard, sent, complaints in await cursor.fetchall():
        for name, error in _reasons(first, hard, sent, complaints):
            if name not in brakes:
                log.error("campaign paused itself", org_id=org_id, send_id=send_id, error=error)
                ids = {"org_id": org_id, "send_id": send_id}
                await connection.execute(q.note_brake, {**ids, "brake": name})
                await connection.execute(delivery.pause_send, {**ids, "error": error})


def _reasons(first: int, hard: int, sent: int, complaints: int) -> list[tuple[str, str]]:
    found = []
    if hard >= FEWEST and hard * 1000 > first * BOUNCED_PER_MILLE:
        share = f"{hard / first:.1%}" if first else "all"
        found.append(
            ("bounces", f"paused: {hard} of the first {first} addresses are dead ({share}; the limit is 2%)")
        )
    if complaints >= FEWEST and complaints * 1000 > sent * COMPLAINED_PER_MILLE:
        share = f"{complaints / sent:.2%}" if sent else "all"
        found.append(
            (
                "complaints",
                f"paused: {complaints} complaints about {sent} messages ({share}; the limit is 0.1%)",
            )
        )
    return found
