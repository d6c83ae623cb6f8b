"""Receipts of messages whose answer was never read: an uncertain message has no id of the operator's, so its receipt is
told by the number it went to, when only one message can be meant."""

from __future__ import annotations

from typing import Final

from perigee.db.pool import Database
from perigee.db.queries import load
from perigee.delivery.channel import EventType, Reason
from perigee.delivery.events import Report, apply

q = load(__package__)

WAIT_SECONDS: Final = 90.0
"""By then the message a receipt belongs to is in the ledger, as sent or as uncertain (a lease is 30 s)."""


async def settle(database: Database, wait: float = WAIT_SECONDS) -> int:
    """Applies what can only be about one uncertain message; a transaction per organisation. Returns how many."""
    async with database.connection() as connection:
        organisations = await (await connection.execute(q.stray_organisations, {"wait": wait})).fetchall()
    settled = 0
    for (org_id,) in organisations:
        async with database.transaction() as connection:
            rows = await (
                await connection.execute(q.take_strays, {"org_id": org_id, "wait": wait})
            ).fetchall()
            await apply(
                connection,
                org_id,
                [
                    Report(
                        type=EventType(type_),
                        at=at,
                        send_id=send_id,
                        ordinal=ordinal,
                        reason=Reason(reason) if reason else None,
                        text=detail or "",
                    )
                    for type_, at, send_id, ordinal, reason, detail in rows
                ],
            )
            settled += len(rows)
    return settled
