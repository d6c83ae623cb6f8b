"""The sessions of one process with one account: opened, kept, opened again after trouble."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Protocol

import structlog

from perigee.delivery.channel import DeliveryError, Reason
from perigee.delivery.channels.smpp.pdu import Command, Pdu
from perigee.delivery.channels.smpp.session import Session, tls_context
from perigee.delivery.channels.smpp.settings import BindMode, SmppSettings, Times

log = structlog.get_logger()


class User(Protocol):
    """What the sessions serve."""

    def free(self, session: Session) -> None:
        """There may be room for messages now."""

    def inbound(self, session: Session, pdu: Pdu) -> None:
        """See `session.Owner`."""

    def unavailable(self) -> None:
        """A session ended or could not be opened; perhaps there is none left."""


class Binds:
    """`settings.binds` slots, each a task that opens its session again and again: at once when it ended after having
    lived, then after 1, 2, 4 … 60 s."""

    def __init__(
        self,
        settings: SmppSettings,
        times: Times,
        user: User,
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.settings = settings
        self.times = times
        self.user = user
        self.sessions: list[Session] = []  # bound ones, the least recently used first
        self.trouble: DeliveryError | None = None  # why the last try failed; None when all is well
        self.retry_at = 0.0  # loop time of the next try; of interest while there is trouble
        self._jitter = jitter
        self._context = tls_context(settings)
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = asyncio.Event()
        self._ended: dict[Session, asyncio.Event] = {}

    def start(self) -> None:
        """Begins to bind, once."""
        if not self._tasks and not self._closing.is_set():
            self._tasks = [
                asyncio.create_task(self._keep(command))
                for command in _commands(self.settings.bind) * self.settings.binds
            ]

    def roomy(self) -> Session | None:
        """A session whose window has room; they take turns."""
        for number, session in enumerate(self.sessions):
            if session.room > 0:
                self.sessions.append(self.sessions.pop(number))
                return session
        return None

    @property
    def can_send(self) -> bool:
        return any(session.command is not Command.BIND_RECEIVER for session in self.sessions)

    async def check(self) -> None:
        """Binds in each role and unbinds. Raises DeliveryError."""
        for command in _commands(self.settings.bind):
            session = Session(_Nobody(), self.settings, self.times, command)
            await session.open(self._context)
            await session.unbind(0.0)

    async def close(self, grace: float) -> None:
        self._closing.set()
        if self._tasks:
            await asyncio.gather(*[session.unbind(grace) for session in list(self.sessions)])
            await asyncio.wait(self._tasks)

    # --- of the sessions ----------------------------------------------------------------------------------------

    def free(self, session: Session) -> None:
        self.user.free(session)

    def inbound(self, session: Session, pdu: Pdu) -> None:
        self.user.inbound(session, pdu)

    def ended(self, session: Session, text: str) -> None:
        self.sessions.remove(session)
        if not self._closing.is_set():
            log.warning("SMPP session ended", host=self.settings.host, text=text)
            self.trouble = DeliveryError(text, False, reason=Reason.CONNECTION_LOST)
        self._ended[session].set()

    # --- one slot -----------------------------------------------------------------------------------------------

    async def _keep(self, command: Command) -> None:
        failures = 0
        while not self._closing.is_set():
            lived = await self._live(command)
            failures = 1 if lived else failures + 1
            wait = self._wait(failures)
            self.retry_at = asyncio.get_running_loop().time() + wait
            self.user.unavailable()
            try:
                async with asyncio.timeout(wait):
                    await self._closing.wait()
            except TimeoutError:
                continue

    async def _live(self, command: Command) -> bool:
        """One session from bind to end; False when it never was one, or not for longer than a first wait."""
        session = Session(self, self.settings, self.times, command)
        opening = asyncio.create_task(session.open(self._context))
        closing = asyncio.create_task(self._closing.wait())
        await asyncio.wait([opening, closing], return_when=asyncio.FIRST_COMPLETED)
        closing.cancel()
        if not opening.done():
            opening.cancel()
            await asyncio.wait([opening])
            return False
        if (error := opening.exception()) is not None:
            self._failed(error)
            return False
        self.trouble = None
        over = self._ended[session] = asyncio.Event()
        self.sessions.append(session)
        began = asyncio.get_running_loop().time()
        if self._closing.is_set():
            await session.unbind(0.0)
        self.user.free(session)
        await over.wait()
        del self._ended[session]
        return asyncio.get_running_loop().time() - began > self.times.first_wait

    def _failed(self, error: BaseException) -> None:
        if not isinstance(
            error, DeliveryError
        ):  # a fault of ours must be seen, and nothing may wait for ever
            log.error("an SMPP session could not be opened", exc_info=error)
            error = DeliveryError("a session could not be opened", False)
        self.trouble = error
        if error.permanent:
            log.error("SMPP bind refused", host=self.settings.host, error=error.message)
        else:
            log.warning("no SMPP session", host=self.settings.host, error=error.message)

    def _wait(self, failures: int) -> float:
        times = self.times
        plain = min(times.longest_wait, times.first_wait * 2.0 ** min(failures - 1, 30))
        if self.trouble is not None and self.trouble.permanent:
            plain = times.refused_wait
        return plain * (0.8 + 0.4 * self._jitter())


def _commands(mode: BindMode) -> list[Command]:
    if mode is BindMode.PAIR:
        return [Command.BIND_TRANSMITTER, Command.BIND_RECEIVER]
    return [Command.BIND_TRANSCEIVER]


class _Nobody:
    """The owner of a session that is only a trial."""

    def free(self, session: Session) -> None: ...

    def inbound(self, session: Session, pdu: Pdu) -> None:
        session.respond(pdu, 0x64)  # whoever is bound to stay gets it

    def ended(self, session: Session, text: str) -> None: ...
