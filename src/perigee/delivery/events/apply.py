"""Reports take effect: set-wise, each once, in the caller's transaction.

A report is recorded in `activity` like everything that happens to a message; a bounce, a complaint and an
unsubscription change the address; and a report about an *uncertain* message says at last what became of it: then the
ledger line and the counters of its batch change, the only time that either does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from perigee.db import plans
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.delivery.channel import EventType, Reason
from perigee.delivery.events import addresses
from perigee.delivery.events.report import Report
from perigee.segments import kinds
from perigee.segments.live.notes import changed

q = load(__package__)

STATUS: Final = {
    EventType.DELIVERED: "DELIVERED",
    EventType.BOUNCED: "UNDELIVERED",
    EventType.READ: "READ",
    EventType.CLICKED: "CLICKED",
    EventType.COMPLAINED: "SPAM",
    EventType.UNSUBSCRIBED: "UNSUBSCRIBED",
}
"""What is recorded in `activity`; DELAYED and REPLIED are not."""
_UNPROVEN: Final = frozenset({EventType.DELAYED})
"""Types that do not say whether the provider has the message for good."""
_WITH_TEXT: Final = frozenset({EventType.BOUNCED, EventType.CLICKED})


class Fate(StrEnum):
    APPLIED = "applied"
    KNOWN = "known"
    """It was counted before, or other parts of its message are not delivered yet."""
    WAITS = "waits"
    """Its message is not in the ledger yet; it is kept for a day."""


class Located(NamedTuple):
    """A report and the line of the ledger it is about. `address`: normal form, or the push token."""

    report: Report
    send_id: int
    ordinal: int
    parts: int
    started_at: datetime
    channel: str
    contact_id: int
    outcome: str
    address: str | None


async def apply(connection: Connection, org_id: int, reports: Sequence[Report]) -> list[Fate]:
    """One fate per report, in order: fit for a `GroupCommit`. The caller commits."""
    if not reports:
        return []
    await plans.by_key(connection)
    located = await _locate(connection, org_id, reports)
    waiting = [report for n, report in enumerate(reports) if n not in located]
    if waiting:
        await _keep(connection, org_id, waiting)
    new = await _count(connection, org_id, await _whole(connection, org_id, located))
    applied = list(new.values())
    await _resolve(connection, org_id, applied)
    await _record(connection, org_id, applied)
    await _note_late(connection, org_id, applied)
    await addresses.follow(connection, org_id, applied)
    return [
        Fate.APPLIED if n in new else Fate.KNOWN if n in located else Fate.WAITS for n in range(len(reports))
    ]


async def _locate(connection: Connection, org_id: int, reports: Sequence[Report]) -> dict[int, Located]:
    cursor = await connection.execute(
        q.locate_reports,
        {
            "org_id": org_id,
            "sends": [report.send_id for report in reports],
            "ordinals": [report.ordinal for report in reports],
            "providers": [report.provider_id for report in reports],
            "messages": [report.message_id for report in reports],
        },
    )
    return {n - 1: Located(reports[n - 1], *rest) for n, *rest in await cursor.fetchall()}


async def _keep(connection: Connection, org_id: int, reports: Sequence[Report]) -> None:
    await connection.execute(
        q.keep_waiting,
        {
            "org_id": org_id,
            "providers": [report.provider_id for report in reports],
            "messages": [report.message_id for report in reports],
            "sends": [report.send_id for report in reports],
            "ordinals": [report.ordinal for report in reports],
            "types": [report.type for report in reports],
            "ats": [report.at for report in reports],
            "reasons": [report.reason for report in reports],
            "texts": [report.text[:500] or None for report in reports],
            "keys": [report.event_id for report in reports],
        },
    )


async def _whole(connection: Connection, org_id: int, located: dict[int, Located]) -> dict[int, Located]:
    """Without the deliveries of parts whose message is not delivered as a whole."""
    parts = [one for one in located.values() if one.parts > 1 and one.report.type is EventType.DELIVERED]
    if not parts:
        return located
    messages = {"org_id": org_id, **_messages(parts)}
    await connection.execute(q.lock_parts, messages)
    await connection.execute(
        q.deliver_parts,
        {
            "org_id": org_id,
            "providers": [one.report.provider_id for one in parts],
            "messages": [one.report.message_id for one in parts],
        },
    )
    whole = set(await (await connection.execute(q.whole_messages, messages)).fetchall())
    return {
        n: one
        for n, one in located.items()
        if one.parts == 1 or one.report.type is not EventType.DELIVERED or (one.send_id, one.ordinal) in whole
    }


async def _count(connection: Connection, org_id: int, located: dict[int, Located]) -> dict[int, Located]:
    """Those that were not counted before."""
    numbers = list(located)
    if not numbers:
        return {}
    cursor = await connection.execute(
        q.count_reports,
        {
            "org_id": org_id,
            **_messages(located.values()),
            "types": [one.report.type for one in located.values()],
            "keys": [one.report.key for one in located.values()],
        },
    )
    new = sorted(numbers[n - 1] for (n,) in await cursor.fetchall())
    return {n: located[n] for n in new}


async def _resolve(connection: Connection, org_id: int, applied: Sequence[Located]) -> None:
    proofs = [one for one in applied if one.outcome == "uncertain" and one.report.type not in _UNPROVEN]
    if not proofs:
        return
    failed = [one.report.type is EventType.BOUNCED for one in proofs]
    await connection.execute(
        q.resolve_uncertain,
        {
            "org_id": org_id,
            **_messages(proofs),
            "starts": [one.started_at for one in proofs],
            "outcomes": ["failed" if bad else "sent" for bad in failed],
            "reasons": [
                (one.report.reason or "unclassified") if bad else None
                for one, bad in zip(proofs, failed, strict=True)
            ],
            "texts": [
                one.report.text[:500] or None if bad else None
                for one, bad in zip(proofs, failed, strict=True)
            ],
        },
    )
    await changed(connection, org_id, [one.contact_id for one in proofs], kinds.SENT)


async def _record(connection: Connection, org_id: int, applied: Sequence[Located]) -> None:
    shown = [(one, status) for one in applied if (status := _status(one)) is not None]
    if not shown:
        return
    await connection.execute(
        q.record_reports,
        {
            "org_id": org_id,
            **_messages(one for one, _ in shown),
            "contacts": [one.contact_id for one, _ in shown],
            "channels": [one.channel for one, _ in shown],
            "statuses": [status for _, status in shown],
            "texts": [_detail(one.report) for one, _ in shown],
            "ats": [one.report.at for one, _ in shown],
            "starts": [one.started_at for one, _ in shown],
        },
    )
    await changed(connection, org_id, [one.contact_id for one, _ in shown], kinds.ACTIVITY)


async def _note_late(connection: Connection, org_id: int, applied: Sequence[Located]) -> None:
    """The ledger keeps its line of a message that was taken and came back: reports count it from here."""
    late = [one for one in applied if one.outcome == "sent" and one.report.type is EventType.BOUNCED]
    if late:
        reasons = [one.report.reason or Reason.UNCLASSIFIED for one in late]
        await connection.execute(q.note_late, {"org_id": org_id, **_messages(late), "reasons": reasons})


def _status(one: Located) -> str | None:
    """That the provider took a message is news only of an uncertain one."""
    if one.report.type is EventType.ACCEPTED:
        return "SENT" if one.outcome == "uncertain" else None
    return STATUS.get(one.report.type)


def _detail(report: Report) -> str | None:
    if report.type not in _WITH_TEXT:
        return None
    return report.text[:500] or (str(report.reason) if report.reason else None)


def _messages(located: Iterable[Located]) -> dict[str, list[int]]:
    found = list(located)
    return {"sends": [one.send_id for one in found], "ordinals": [one.ordinal for one in found]}
