"""Mail that came in takes effect: bounces and complaints become reports, a wish to get no more mail is fulfilled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import structlog

from perigee.bounces import brake, mails, verp
from perigee.bounces.mail import Finding, Kind
from perigee.bounces.mails import Claimed
from perigee.bounces.meaning import why
from perigee.bounces.reading import NoChild, read_all
from perigee.db.pool import Connection, Database
from perigee.db.queries import load
from perigee.delivery import events
from perigee.delivery.channel import EventType
from perigee.delivery.events import Report
from perigee.delivery.tracking import OptOut, opt_out
from perigee.errors import NotFound
from perigee.keys import Keys
from perigee.lib.addresses import normal_email
from perigee.messages.links import Recipient
from perigee.observe import INCOMING_MAIL

log = structlog.get_logger()
q = load(__package__)

_EVENTS: Final = {
    Kind.BOUNCED: EventType.BOUNCED,
    Kind.DELAYED: EventType.DELAYED,
    Kind.DELIVERED: EventType.DELIVERED,
    Kind.COMPLAINED: EventType.COMPLAINED,
}
_WRITTEN: Final = frozenset({Kind.MAIL, Kind.READ_RECEIPT})
"""What a person's program sends on their behalf; the rest comes from machines, who want nothing."""


class Read(NamedTuple):
    mail: Claimed
    finding: Finding | None


async def work(database: Database, keys: Keys, *, brakes: bool = True) -> int:
    """Takes what waits, reads it and lets it take effect; returns how many there were."""
    async with database.transaction() as connection:
        claimed = await mails.claim(connection)
    if not claimed:
        return 0
    by_org: dict[int, list[Read]] = {}
    try:
        findings = await read_all([mail.raw for mail in claimed])
    except NoChild:
        async with database.transaction() as connection:
            for org_id in {mail.org_id for mail in claimed}:
                ids = [mail.mail_id for mail in claimed if mail.org_id == org_id]
                await mails.release(connection, org_id, ids)
        raise
    for mail, finding in zip(claimed, findings, strict=True):
        by_org.setdefault(mail.org_id, []).append(Read(mail, finding))
    for org_id, read in by_org.items():
        async with database.transaction() as connection:
            await settle(connection, keys, org_id, read, brakes=brakes)
    return len(claimed)


async def settle(
    connection: Connection, keys: Keys, org_id: int, read: Sequence[Read], *, brakes: bool
) -> None:
    """Each once: what took effect is deleted in the same transaction."""
    failed = [one.mail.mail_id for one in read if one.finding is None]
    await mails.fail(connection, org_id, failed)
    reports: list[Report] = []
    opt_outs: list[OptOut] = []
    replies: list[tuple[verp.Bounced, Finding, datetime]] = []
    for mail, finding in read:
        INCOMING_MAIL.labels(finding.kind if finding else "unreadable").inc()
        if finding is None:
            continue
        leaves = _named(keys.unsubscribe_mail, org_id, [_after(verp.UNSUBSCRIBE, mail.recipient, finding)])
        if leaves is not None and finding.kind in _WRITTEN:
            opt_outs.append(OptOut(Recipient(*leaves), "mail", mail.received_at))
            continue
        named = _named(keys.bounces, org_id, [mail.recipient, *finding.tokens])
        if named is None:
            continue
        if report := report_of(finding, named, mail.received_at):
            reports.append(report)
        elif finding.kind is Kind.MAIL and finding.wants_out:
            replies.append((named, finding, mail.received_at))
        elif finding.kind is Kind.AUTH_FAILURE:
            log.error("a receiver reports failed authentication", org_id=org_id, text=finding.text)
        else:
            log.info("mail came back", org_id=org_id, kind=finding.kind, text=finding.text)
    opt_outs += await _from_their_address(connection, org_id, replies)
    await events.apply(connection, org_id, reports)
    if opt_outs:
        await opt_out(connection, org_id, opt_outs)
    await mails.delete(connection, org_id, [one.mail.mail_id for one in read if one.finding is not None])
    if brakes:
        await brake.press(connection, org_id, {one.send_id for one in reports if one.send_id is not None})


def report_of(finding: Finding, named: verp.Bounced, at: datetime) -> Report | None:
    """Pure. None for what is no news of the message itself."""
    kind = _EVENTS.get(finding.kind)
    if kind is None:
        return None
    reason = why(finding.status, finding.text) if kind is EventType.BOUNCED else None
    text = finding.text
    if kind is EventType.BOUNCED and finding.status and finding.status not in text:
        text = f"{finding.status} {text}".strip()
    return Report(
        type=kind, at=at, send_id=named.send_id, ordinal=named.ordinal, reason=reason, text=text[:500]
    )


def _after(prefix: str, recipient: str, finding: Finding) -> str:
    """The first local part with this prefix, without it."""
    for text in (recipient, *finding.tokens):
        if text.lower().startswith(prefix):
            return text[len(prefix) :]
    return ""


def _named(key: bytes, org_id: int, candidates: Sequence[str]) -> verp.Bounced | None:
    """The first that is a token of ours for a message of this organisation."""
    for text in candidates:
        if not text:
            continue
        try:
            named = verp.read(key, text.removeprefix(verp.BOUNCE).removeprefix("fbl+"))
        except NotFound:
            continue
        if named.org_id == org_id:
            return named
    return None


async def _from_their_address(
    connection: Connection, org_id: int, replies: Sequence[tuple[verp.Bounced, Finding, datetime]]
) -> list[OptOut]:
    """A reply quotes our Message-ID, which is no secret: it counts from the address that the message went to."""
    if not replies:
        return []
    cursor = await connection.execute(
        q.went_to,
        {
            "org_id": org_id,
            "sends": [named.send_id for named, _, _ in replies],
            "ordinals": [named.ordinal for named, _, _ in replies],
            "addresses": [normal_email(finding.sender) or "" for _, finding, _ in replies],
        },
    )
    return [
        OptOut(Recipient(*replies[n - 1][0]), "reply", replies[n - 1][2]) for (n,) in await cursor.fetchall()
    ]
