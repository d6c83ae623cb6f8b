"""Messages on their way: parts into windows, answers into one receipt for each message.

A message of several parts begins with its first part alone. Refused, nothing of it was sent and the refusal is the
message's. Once it is accepted the others follow together: those told to wait are submitted again by us, because to
begin the message again would repeat what was accepted; any other refusal fails the message, its text names the part.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from functools import partial
from typing import Final

from perigee.delivery.channel import DeliveryError, Outcome, Outgoing, Reason, Receipt
from perigee.delivery.channels.smpp.binds import Binds
from perigee.delivery.channels.smpp.coding import Coded, References, encode, plain
from perigee.delivery.channels.smpp.pace import Pace
from perigee.delivery.channels.smpp.pdu import Address, ShortMessage
from perigee.delivery.channels.smpp.receipts import normal_id
from perigee.delivery.channels.smpp.session import LOST
from perigee.delivery.channels.smpp.settings import SmppSettings
from perigee.delivery.channels.smpp.statuses import THROTTLED, THROTTLED_SECONDS, refusal

CLOSING: Final = Receipt(Outcome.DEFERRED, Reason.CLOSING, "the sender is stopping", counted=False)
STALE: Final = Receipt(Outcome.DEFERRED, Reason.STALE, "waited too long to be begun", counted=False)
LEASE_LOST: Final = Receipt(Outcome.DEFERRED, Reason.LEASE_LOST, "the right to send ran out", counted=False)
MOST_TRIES: Final = 30
"""Of one later part."""
REST_SECONDS: Final = 300.0
"""Later parts that found no session for so long leave their message uncertain."""


class Message:
    """One message in hand."""

    __slots__ = ("begun_at", "bodies", "future", "ids", "left", "outgoing", "refused")

    def __init__(self, outgoing: Outgoing, future: asyncio.Future[Receipt]) -> None:
        self.outgoing = outgoing
        self.future = future
        self.begun_at = 0.0
        self.bodies: list[bytes] = []  # of its submit_sm, in order
        self.ids: list[str | None] = []
        self.left = 0  # parts without a final answer
        self.refused: Receipt | None = None

    def resolve(self, receipt: Receipt) -> None:
        if not self.future.done():
            self.future.set_result(receipt)

    def name(self, number: int) -> str:
        """For the receipt's text; '' for the only part."""
        return f"part {number + 1} of {len(self.bodies)}: " if len(self.bodies) > 1 else ""


class Outbound:
    def __init__(self, settings: SmppSettings, binds: Binds) -> None:
        self._settings = settings
        self._binds = binds
        self._queue: deque[Message] = deque()
        self._rest: deque[tuple[Message, int, int]] = deque()  # later parts: message, number, try
        self._references = References()
        self._pace = Pace(settings.rate, time.monotonic)
        self._timer: asyncio.TimerHandle | None = None
        self._begun: set[Message] = set()
        self._closing = False
        self._settled = asyncio.Event()
        self._validity = _validity(settings.validity_hours)

    def submit(self, outgoing: Outgoing) -> asyncio.Future[Receipt]:
        message = Message(outgoing, asyncio.get_running_loop().create_future())
        if self._closing:
            message.resolve(CLOSING)
            return message.future
        self._queue.append(message)
        self._binds.start()
        self.pump()
        self.give_back()
        return message.future

    def pump(self) -> None:
        """Fills the windows, as far as the pace allows. Parts of begun messages go first."""
        while self._rest or self._queue:
            session = self._binds.roomy()
            if session is None or not self._in_pace():
                return
            if self._rest:
                message, number, tries = self._rest.popleft()
            elif (found := self._begin()) is not None:
                message, number, tries = found, 0, 1
            else:
                return
            self._begun.add(message)
            session.submit(message.bodies[number], partial(self._answered, message, number, tries))

    def give_back(self) -> None:
        """While nothing can be sent, what waits is not kept from being tried elsewhere or later."""
        trouble = self._binds.trouble
        if trouble is None or self._binds.can_send:
            return
        pause = max(1.0, self._binds.retry_at - asyncio.get_running_loop().time())
        receipt = DeliveryError.receipt(trouble, pause)
        while self._queue:
            self._queue.popleft().resolve(receipt)
        began = time.monotonic() - REST_SECONDS
        for message in {message for message, _, _ in self._rest if message.begun_at < began}:
            self._give_up(message, "the operator could not be reached for the later parts")

    async def close(self, grace: float) -> None:
        """Gives back what has not begun, waits for what has."""
        self._closing = True
        while self._queue:
            self._queue.popleft().resolve(CLOSING)
        if self._begun:
            self._settled.clear()
            try:
                async with asyncio.timeout(grace):
                    await self._settled.wait()
            except TimeoutError:
                return

    def abandon(self) -> None:
        """After the sessions are closed: what can go nowhere any more."""
        for message in list(self._begun):
            self._give_up(message, "stopped before the operator answered")

    # --- beginning ----------------------------------------------------------------------------------------------

    def _in_pace(self) -> bool:
        wait = self._pace.wait()
        if wait <= 0:
            return True
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(wait, self._again)
        return False

    def _again(self) -> None:
        self._timer = None
        self.pump()

    def _begin(self) -> Message | None:
        """The next message that may still be sent, divided into its parts."""
        while self._queue:
            message = self._queue.popleft()
            receipt = self._divide(message)
            if receipt is None:
                return message
            message.resolve(receipt)
        return None

    def _divide(self, message: Message) -> Receipt | None:
        outgoing = message.outgoing
        if outgoing.allow_send is not None and not outgoing.allow_send():
            return LEASE_LOST
        if time.monotonic() > outgoing.fresh_until:
            return STALE
        try:
            coded = self._code(outgoing)
            if len(coded.parts) > self._settings.max_parts:
                text = f"{len(coded.parts)} parts, at most {self._settings.max_parts} are allowed"
                return Receipt(Outcome.FAILED, Reason.TOO_LARGE, text)
            message.bodies = self._bodies(outgoing, coded)
        except ValueError as error:
            return Receipt(Outcome.FAILED, Reason.BAD_MESSAGE, str(error)[:300])
        message.begun_at = time.monotonic()
        message.ids = [None] * len(message.bodies)
        message.left = len(message.bodies)
        return None

    def _code(self, outgoing: Outgoing) -> Coded:
        settings = self._settings
        text = outgoing.payload.decode("utf-8", "replace")
        if settings.transliterate:
            text = plain(text)
        reference = self._references.next(outgoing.address, outgoing.send_id + outgoing.ordinal)
        return encode(text, settings.alphabet, settings.concatenation, reference)

    def _bodies(self, outgoing: Outgoing, coded: Coded) -> list[bytes]:
        settings = self._settings
        source = source_address(outgoing.sender, settings.source_ton, settings.source_npi)
        digits = outgoing.address.removeprefix("+")
        destination = Address(settings.destination_ton, settings.destination_npi, digits)
        return [
            ShortMessage(
                source,
                destination,
                part.text,
                settings.service_type,
                part.esm_class,
                validity=self._validity,
                registered_delivery=int(settings.receipts),
                data_coding=coded.data_coding,
                tlvs=part.tlvs,
            ).encode()
            for part in coded.parts
        ]

    # --- answers ------------------------------------------------------------------------------------------------

    def _answered(self, message: Message, number: int, tries: int, status: int, text: str) -> None:
        """One part's answer; `text` is the operator's id, or what broke the connection."""
        if status in THROTTLED:
            self._pace.slow_down()
        if status == 0:
            message.ids[number] = normal_id(text, self._settings.message_ids, answer=True) if text else None
            if number == 0:
                self._rest.extend((message, later, 1) for later in range(1, len(message.bodies)))
        elif number == 0:
            message.left = 1  # the others are not sent
            message.refused = self._failure(message, 0, status, text)
        elif self._may_repeat(status) and tries < MOST_TRIES and not message.refused and not self._closing:
            asyncio.get_running_loop().call_later(THROTTLED_SECONDS, self._repeat, message, number, tries + 1)
            return
        elif message.refused is None or message.refused.outcome is Outcome.FAILED:
            message.refused = self._later_failure(message, number, status, text)
        message.left -= 1
        if not message.left:
            self._finish(message)

    def _repeat(self, message: Message, number: int, tries: int) -> None:
        if not message.future.done():
            self._rest.append((message, number, tries))
            self.pump()

    @staticmethod
    def _may_repeat(status: int) -> bool:
        return status != LOST and refusal(status).outcome is Outcome.DEFERRED

    @staticmethod
    def _failure(message: Message, number: int, status: int, text: str) -> Receipt:
        if status == LOST:
            return Receipt(Outcome.UNCERTAIN, Reason.ANSWER_LOST, (message.name(number) + text)[:500])
        return refusal(status, message.name(number))

    def _later_failure(self, message: Message, number: int, status: int, text: str) -> Receipt:
        """Parts before it were accepted, so the message must not be sent again by itself."""
        receipt = self._failure(message, number, status, text)
        if receipt.outcome is Outcome.DEFERRED:
            return Receipt(Outcome.FAILED, receipt.reason, receipt.text, receipt.code)
        return receipt

    def _finish(self, message: Message) -> None:
        receipt = message.refused
        if receipt is None:
            ids = [one for one in message.ids if one]
            receipt = Receipt(Outcome.SENT, provider_id=ids[0] if ids else None, more_ids=tuple(ids[1:]))
        message.resolve(receipt)
        self._forget(message)

    def _give_up(self, message: Message, text: str) -> None:
        message.resolve(Receipt(Outcome.UNCERTAIN, Reason.ANSWER_LOST, text))
        self._rest = deque(one for one in self._rest if one[0] is not message)
        self._forget(message)

    def _forget(self, message: Message) -> None:
        self._begun.discard(message)
        if not self._begun:
            self._settled.set()


def source_address(sender: str, ton: int | None, npi: int | None) -> Address:
    """Names are alphanumeric (type 5), up to six digits a short code (3), other digits a number (1, plan 1); where the
    settings say other, that. ValueError for what no sender can be."""
    digits = sender.removeprefix("+")
    if digits.isascii() and digits.isdigit():
        known = (3, 0) if len(digits) <= 6 else (1, 1)
        value = digits
    else:
        if not sender.isascii() or not 1 <= len(sender) <= 11:
            raise ValueError(f"sender {sender[:40]!r} must be a number or 1 to 11 Latin letters and digits")
        known, value = (5, 0), sender
    return Address(known[0] if ton is None else ton, known[1] if npi is None else npi, value)


def _validity(hours: int) -> str:
    """Relative time (7.1.1): YYMMDDhhmmsstnnR; days stand for months, which is why there are at most 30."""
    return f"0000{hours // 24:02}{hours % 24:02}0000000R" if hours else ""
