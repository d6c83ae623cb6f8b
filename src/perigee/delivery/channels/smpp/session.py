"""One bound connection: requests out with their answers matched, requests in answered, the link kept alive.

Nothing here knows a message: the owner gives bodies of submit_sm and hears of each exactly once what became of it.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, Protocol, cast

from perigee.delivery.channel import DeliveryError, Reason
from perigee.delivery.channels.smpp.pdu import (
    LAST_SEQUENCE,
    RESPONSE,
    Address,
    Command,
    Frames,
    Pdu,
    Unreadable,
    bind,
    frame,
    read_message_id,
)
from perigee.delivery.channels.smpp.settings import SmppSettings, Times
from perigee.delivery.channels.smpp.statuses import bind_refusal

UNKNOWN_COMMAND = 0x03
_SYSTEM_ERROR = 0x08

Answer = Callable[[int, str], None]
"""(command_status, message id) of a submit_sm_resp; status -1: the connection ended without it."""
LOST = -1


class Owner(Protocol):
    """What a session needs of whoever keeps it."""

    def free(self, session: Session) -> None:
        """The window has room again."""

    def inbound(self, session: Session, pdu: Pdu) -> None:
        """A deliver_sm or data_sm: to be answered by `session.respond`, after what it says is stored."""

    def ended(self, session: Session, text: str) -> None:
        """The session is over; every submit_sm has had its answer. Called once, if the session was ever bound."""


class Session(asyncio.Protocol):
    def __init__(self, owner: Owner, settings: SmppSettings, times: Times, command: Command) -> None:
        self.owner = owner
        self.settings = settings
        self.times = times
        self.command = command
        self.bound = False
        self.transport: asyncio.Transport | None = None
        self._frames = Frames()
        self._unwritten = bytearray()
        self._sequence = 0
        self._window: dict[int, tuple[Answer, float]] = {}
        self._leaving = False
        self._over = False
        self._asked_link = 0  # sequence of the enquire_link that is unanswered
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._bind_answer: asyncio.Future[Pdu] = self._loop.create_future()
        self._gone: asyncio.Future[str] = self._loop.create_future()

    # --- for the owner ------------------------------------------------------------------------------------------

    @property
    def room(self) -> int:
        """How many submit_sm may be sent now."""
        if not self.bound or self._leaving or self.command is Command.BIND_RECEIVER:
            return 0
        return self.settings.window - len(self._window)

    @property
    def unanswered(self) -> int:
        return len(self._window)

    def submit(self, body: bytes, answer: Answer) -> None:
        """Only while there is `room`."""
        sequence = self._next()
        self._window[sequence] = (answer, self._loop.time() + self.times.answer)
        self._write(frame(Command.SUBMIT_SM, sequence, body))

    def respond(self, pdu: Pdu, status: int) -> None:
        """To a request of the other side; nothing when it is gone."""
        body = b"\0" if pdu.command in (Command.DELIVER_SM, Command.DATA_SM) else b""
        self._write(frame(RESPONSE | pdu.command, pdu.sequence, body, status))

    async def open(self, context: ssl.SSLContext | None) -> None:
        """Connects and binds. Raises DeliveryError, and leaves no connection behind when it does."""
        settings = self.settings
        try:
            async with asyncio.timeout(self.times.connect):
                await self._loop.create_connection(
                    lambda: self,
                    settings.host,
                    settings.port,
                    ssl=context,
                    server_hostname=settings.host if context else None,
                )
        except ssl.SSLError as error:
            text = f"no TLS with {settings.host}: {error.reason or error}"
            raise DeliveryError(text, False, reason=Reason.PROVIDER_TLS) from None
        except (OSError, TimeoutError) as error:
            text = f"{settings.host}:{settings.port} cannot be reached: {str(error) or 'no answer'}"
            raise DeliveryError(text[:300], False) from None
        try:
            await self._bind()
        except BaseException:
            self.abort("not bound")
            raise

    async def _bind(self) -> None:
        settings = self.settings
        own = Address(0, 0, settings.address_range)
        self._write(
            bind(
                self.command,
                self._next(),
                settings.system_id,
                settings.password,
                settings.system_type,
                own,
            )
        )
        answers: list[asyncio.Future[Any]] = [self._bind_answer, self._gone]
        await asyncio.wait(answers, timeout=self.times.bind, return_when=asyncio.FIRST_COMPLETED)
        if not (self._bind_answer.done() or self._gone.done()):
            raise DeliveryError(f"no answer to the bind within {self.times.bind:g} s", False)
        if not self._bind_answer.done():
            raise DeliveryError(f"closed before the bind was answered: {self._gone.result()}", False)
        if status := self._bind_answer.result().status:
            raise bind_refusal(status)
        self.bound = True
        self._timer = self._loop.call_later(self.times.enquire, self._tick)

    async def unbind(self, grace: float) -> None:
        """Waits `grace` seconds for what is unanswered, says unbind, closes. Afterwards the session has ended."""
        self._leaving = True
        until = self._loop.time() + grace
        while self._window and not self._over and self._loop.time() < until:
            await asyncio.wait([self._gone], timeout=0.02)
        if not self._over:
            self._write(frame(Command.UNBIND, self._next()))
            await asyncio.wait([self._gone], timeout=self.times.unbind)
        self.abort("unbound")
        await asyncio.sleep(0)  # lets the transport close its socket

    def abort(self, text: str) -> None:
        """Breaks the connection now."""
        if self.transport is not None:
            self.transport.abort()
        self._end(text)

    # --- asyncio ------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            for pdu in self._frames.feed(data):
                self._read(pdu)
        except Unreadable as error:
            self._write(frame(Command.GENERIC_NACK, 0, status=error.status))
            self._flush()
            self.abort(f"the operator sent no SMPP: {error.message}")
            return
        if self._window or self.bound:
            self.owner.free(self)

    def eof_received(self) -> None:
        self.abort("the operator closed the connection")

    def connection_lost(self, error: Exception | None) -> None:
        self._end(f"connection lost: {error}" if error else "the connection was closed")

    # --- the dialogue -------------------------------------------------------------------------------------------

    def _read(self, pdu: Pdu) -> None:
        if self._over:
            return
        command = pdu.command
        if command == Command.SUBMIT_SM_RESP:
            self._answered(pdu, read_message_id(pdu.body))
        elif command == Command.ENQUIRE_LINK:
            self.respond(pdu, 0)
        elif command == Command.ENQUIRE_LINK_RESP:
            self._link_answered(pdu)
        elif command in (Command.DELIVER_SM, Command.DATA_SM):
            if self.bound:
                self.owner.inbound(self, pdu)
            else:
                self.respond(pdu, _SYSTEM_ERROR)
        elif command == Command.GENERIC_NACK:
            self._link_answered(pdu)
            self._answered(pdu, "")
            self._bind_answered(pdu)
        elif command == RESPONSE | self.command:
            self._bind_answered(pdu)
        elif command == Command.UNBIND:
            self._unbound(pdu)
        elif command == Command.UNBIND_RESP:
            self.abort("unbound")
        elif not command & RESPONSE and command != Command.ALERT_NOTIFICATION:
            self._write(frame(Command.GENERIC_NACK, pdu.sequence, status=UNKNOWN_COMMAND))

    def _answered(self, pdu: Pdu, message_id: str) -> None:
        found = self._window.pop(pdu.sequence, None)
        if found is not None:
            found[0](pdu.status, message_id)

    def _bind_answered(self, pdu: Pdu) -> None:
        if not self._bind_answer.done():
            self._bind_answer.set_result(pdu)

    def _unbound(self, pdu: Pdu) -> None:
        """The operator leaves in order: what it has not answered may still be answered until it closes."""
        self.respond(pdu, 0)
        self._leaving = True
        if self._window:
            self._loop.call_later(self.times.unbind, self.abort, "the operator unbound")
        else:
            self.abort_politely("the operator unbound")

    def abort_politely(self, text: str) -> None:
        """Closes after what was written has gone out."""
        self._flush()
        if self.transport is not None:
            self.transport.close()
        self._end(text)

    def _link_answered(self, pdu: Pdu) -> None:
        if pdu.sequence == self._asked_link:
            self._asked_link = 0

    def _tick(self) -> None:
        """Every `enquire` seconds: one unanswered enquire_link and the session is dead."""
        if self._over:
            return
        if self._asked_link:
            self.abort("enquire_link was not answered")
            return
        self._expire()
        self._asked_link = self._next()
        self._write(frame(Command.ENQUIRE_LINK, self._asked_link))
        self._timer = self._loop.call_later(self.times.enquire, self._tick)

    def _expire(self) -> None:
        """What was never answered gives its place in the window free."""
        now = self._loop.time()
        for sequence in [known for known, (_, until) in self._window.items() if until < now]:
            self._window.pop(sequence)[0](LOST, f"no answer within {self.times.answer:g} s")
        self.owner.free(self)

    def _next(self) -> int:
        """1 to 0x7FFFFFFF, and round again (3.2)."""
        while True:
            self._sequence = self._sequence % LAST_SEQUENCE + 1
            if self._sequence not in self._window:
                return self._sequence

    def _write(self, octets: bytes) -> None:
        """What is written in one turn of the loop goes out together: a system call for each PDU costs us and the other
        side more than the PDU itself."""
        if self.transport is None or self._over:
            return
        if not self._unwritten:
            self._loop.call_soon(self._flush)
        self._unwritten += octets

    def _flush(self) -> None:
        if self.transport is not None and self._unwritten and not self._over:
            self.transport.write(bytes(self._unwritten))
        self._unwritten.clear()

    def _end(self, text: str) -> None:
        if self._over:
            return
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        was_bound, self.bound = self.bound, False
        window, self._window = self._window, {}
        for answer, _ in window.values():
            answer(LOST, text)
        self._gone.set_result(text)
        if was_bound:
            self.owner.ended(self, text)


def tls_context(settings: SmppSettings) -> ssl.SSLContext | None:
    """The system's trusted roots; None without TLS."""
    if not settings.tls:
        return None
    context = ssl.create_default_context()
    if not settings.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
