"""What comes from the operator: receipts become reports, stop words take the number off, all of it durable before it
is answered. What arrives together is committed together."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec
import structlog

from perigee.contacts.unsubscribe import Unsubscribe, unsubscribe
from perigee.db.group_commit import GroupCommit
from perigee.db.pool import Connection, Database
from perigee.db.queries import load
from perigee.delivery.channel import EventType
from perigee.delivery.channels.smpp.coding import HAS_HEADER, decode
from perigee.delivery.channels.smpp.pdu import (
    Command,
    Pdu,
    ShortMessage,
    Unreadable,
    read_data_sm,
    read_short_message,
)
from perigee.delivery.channels.smpp.receipts import (
    KIND,
    DeliveryReport,
    is_receipt,
    read_receipt,
)
from perigee.delivery.channels.smpp.session import Session
from perigee.delivery.channels.smpp.settings import SmppSettings
from perigee.delivery.events import Fate, Report, apply
from perigee.lib.addresses import normal_phone
from perigee.lib.text import clean

log = structlog.get_logger()
q = load(__package__)

STOP_WORDS: Final = frozenset(
    {"stop", "стоп", "quit", "end", "revoke", "opt out", "optout", "cancel", "unsubscribe"}
)
_NOT_WORDS: Final = re.compile(r"[\W_]+")
TRY_LATER: Final = 0x64
"""The operator brings it again."""
REFUSED: Final = 0x66
"""The operator does not: we could not read it."""


class Incoming(msgspec.Struct, frozen=True):
    """One message of the operator's, read. `phone`: normal form of the recipient's number, if it is one. `text` is what
    a person wrote; `report` what the operator says instead."""

    provider_id: int
    phone: str | None
    report: DeliveryReport | None
    text: str
    number: str  # the one it was sent to: ours


class Inbound:
    def __init__(
        self,
        settings: SmppSettings,
        database: Database,
        org_id: int,
        provider_id: int,
        reply: Callable[[str, str], None],
    ) -> None:
        """`reply` is called with a number and one of ours after the number was taken off."""
        self._settings = settings
        self._org_id = org_id
        self._provider_id = provider_id
        self._reply = reply
        self._stop_words = STOP_WORDS | {_words(word) for word in settings.stop_words}
        self._commits = GroupCommit[Incoming, bool](database, self._apply)
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, session: Session, pdu: Pdu) -> None:
        task = asyncio.create_task(self._take(session, pdu))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Waits until everything taken is answered."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _take(self, session: Session, pdu: Pdu) -> None:
        session.respond(pdu, await self._store(pdu))

    async def _store(self, pdu: Pdu) -> int:
        """The status to answer with."""
        try:
            read = read_data_sm if pdu.command == Command.DATA_SM else read_short_message
            incoming = self._read(read(pdu.body))
        except Unreadable as error:
            log.warning("an SMPP message cannot be read", error=error.message, body=pdu.body[:300].hex())
            return REFUSED
        if incoming is None:
            return 0
        try:
            taken_off = await self._commits.submit(self._org_id, incoming)
        except Exception as error:
            log.warning("an SMPP message could not be stored", error=str(error).split("\n")[0])
            return TRY_LATER
        if taken_off and self._settings.stop_reply and incoming.phone:
            self._reply(incoming.phone, incoming.number)
        return 0

    def _read(self, message: ShortMessage) -> Incoming | None:
        """None: nothing to store."""
        phone = normal_phone(message.source.value)
        if is_receipt(message):
            report = read_receipt(message, self._settings.message_ids)
            if report.type is None or (report.message_id is None and phone is None):
                log.warning("a receipt of an unknown kind", provider_id=self._provider_id, raw=report.raw)
                return None
            return Incoming(self._provider_id, phone, report, "", message.destination.value)
        if message.esm_class & KIND:  # acknowledgements of the handset, not of the operator
            return None
        text = decode(
            message.payload,
            message.data_coding,
            self._settings.alphabet,
            has_header=bool(message.esm_class & HAS_HEADER),
        )
        if not self.is_stop(text):
            log.info("an SMS came in", provider_id=self._provider_id, length=len(text))
            return None
        if phone is None:
            log.warning("a stop word from what is no number", provider_id=self._provider_id)
            return None
        return Incoming(self._provider_id, phone, None, clean(text)[:100], message.destination.value)

    def is_stop(self, text: str) -> bool:
        """Whether a text is nothing but a stop word, however it is written."""
        return _words(text) in self._stop_words

    async def _apply(
        self, connection: Connection, org_id: int, items: Sequence[Incoming]
    ) -> Sequence[bool | Exception]:
        """For each whether a number was taken off."""
        await _report(connection, org_id, [one for one in items if one.report is not None])
        taken_off = await _take_off(connection, org_id, [i for i in items if not i.report])
        unanswered = set(taken_off)  # several stop words of one number: one confirmation
        answers = []
        for one in items:
            answers.append(one.report is None and one.phone in unanswered)
            if answers[-1]:
                unanswered.discard(one.phone or "")
        return answers


async def _report(connection: Connection, org_id: int, items: Sequence[Incoming]) -> None:
    """Receipts. One whose message nobody knows is kept twice: under its id, because its message may be committed in a
    moment, and under the person's number, because it may be of a message whose id we never read."""
    named = [(one, report) for one in items if (report := one.report) is not None and report.message_id]
    now = datetime.now(UTC)
    fates = await apply(
        connection,
        org_id,
        [
            Report(
                type=report.type or EventType.ACCEPTED,
                at=now,
                provider_id=one.provider_id,
                message_id=report.message_id,
                reason=report.reason,
                text=report.words,
            )
            for one, report in named
        ],
    )
    strays = [
        (one, report) for (one, report), fate in zip(named, fates, strict=True) if fate is Fate.WAITS
    ] + [(one, report) for one in items if (report := one.report) is not None and not report.message_id]
    strays = [(one, report) for one, report in strays if one.phone is not None]
    if strays:
        await connection.execute(
            q.keep_strays,
            {
                "org_id": org_id,
                "providers": [one.provider_id for one, _ in strays],
                "messages": [report.message_id for _, report in strays],
                "phones": [one.phone for one, _ in strays],
                "types": [report.type for _, report in strays],
                "reasons": [report.reason for _, report in strays],
                "details": [report.words or None for _, report in strays],
            },
        )


async def _take_off(connection: Connection, org_id: int, items: Sequence[Incoming]) -> Collection[str]:
    """Stop words. Returns the numbers that were not off before."""
    if not items:
        return ()
    cursor = await connection.execute(
        q.last_messages, {"org_id": org_id, "phones": sorted({one.phone or "" for one in items})}
    )
    last = {phone: rest for phone, *rest in await cursor.fetchall()}
    wishes = []
    for one in items:
        contact_id, send_id, _ = last.get(one.phone, (None, None, None))
        wishes.append(Unsubscribe("phone", one.phone or "", "sms", contact_id, one.text, send_id))
    changed = {wish.value for wish in await unsubscribe(connection, org_id, wishes)}
    now = datetime.now(UTC)
    await apply(
        connection,
        org_id,
        [
            Report(type=EventType.UNSUBSCRIBED, at=now, send_id=send_id, ordinal=ordinal)
            for phone, (_, send_id, ordinal) in last.items()
            if phone in changed
        ],
    )
    return changed


def _words(text: str) -> str:
    return _NOT_WORDS.sub(" ", text).strip().casefold()
