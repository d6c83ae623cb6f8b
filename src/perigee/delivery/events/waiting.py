"""Reports that came before their message was in the ledger: matched as soon as it is, forgotten after a day."""

from __future__ import annotations

from typing import Final

from perigee.db.pool import Connection, Database
from perigee.db.queries import load
from perigee.delivery.channel import EventType, Reason
from perigee.delivery.events.apply import apply
from perigee.delivery.events.report import Report

q = load(__package__)

KEEP_DAYS: Final = 30
"""Providers' names of messages, and which reports were counted."""


async def match(database: Database) -> int:
    """Applies what waits and has found its message. A transaction per organisation. Returns how many reports."""
    async with database.connection() as connection:
        organisations = await (await connection.execute(q.waiting_organisations)).fetchall()
    matched = 0
    for (org_id,) in organisations:
        async with database.transaction() as connection:
            rows = await (await connection.execute(q.take_waiting, {"org_id": org_id})).fetchall()
            await apply(connection, org_id, [_report(*row) for row in rows])
            matched += len(rows)
    return matched


async def prune(connection: Connection) -> None:
    await connection.execute(q.prune_waiting)
    await connection.execute(q.prune_messages, {"days": KEEP_DAYS})
    await connection.execute(q.prune_reports, {"days": KEEP_DAYS})


def _report(
    type_: str,
    at: object,
    send_id: int | None,
    ordinal: int | None,
    provider_id: int | None,
    message_id: str | None,
    reason: str | None,
    text: str,
    event_id: str | None,
) -> Report:
    return Report(
        type=EventType(type_),
        at=at,  # type: ignore[arg-type]  # a row's members have no types
        send_id=send_id,
        ordinal=ordinal,
        provider_id=provider_id,
        message_id=message_id,
        reason=Reason(reason) if reason else None,
        text=text,
        event_id=event_id,
    )
