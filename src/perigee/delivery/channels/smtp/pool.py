"""All sessions of one process with one provider: opened when work comes, replaced when spent, slow to come back
after trouble.

A message that its session could not begin is given once to another session, so that a server closing old
connections costs nobody anything. Everything else that goes wrong is answered with a receipt; the sender, not the
pool, decides when to try again.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Callable

import msgspec

from perigee.delivery.channel import DeliveryError, Outcome, Outgoing, Reason, Receipt
from perigee.delivery.channels.smtp.client import Session
from perigee.delivery.channels.smtp.opening import open_session
from perigee.delivery.channels.smtp.queue import FairQueue, Job
from perigee.delivery.channels.smtp.settings import SmtpSettings, Timeouts
from perigee.delivery.channels.smtp.turns import Turns


class Backoff(msgspec.Struct, frozen=True):
    """Seconds to wait after the n-th failure in a row: doubling up to `most`, ±20 %; `permanent` when only a
    person can repair it (wrong password, bad certificate)."""

    first: float = 1.0
    most: float = 60.0
    permanent: float = 300.0

    def seconds(self, failures: int, permanent: bool, jitter: float) -> float:
        """`jitter` is a random number from 0 to 1."""
        plain = self.permanent if permanent else min(self.most, self.first * 2.0 ** min(failures - 1, 30))
        return plain * (0.8 + 0.4 * jitter)


class SmtpPool:
    """Up to `settings.connections` sessions. Bound to the running event loop; not for use from other threads."""

    def __init__(
        self,
        settings: SmtpSettings,
        *,
        timeouts: Timeouts | None = None,
        backoff: Backoff | None = None,
        context: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.settings = settings
        self.trouble: DeliveryError | None = (
            None  # why no session could be had the last time; None when all is well
        )
        self._timeouts = timeouts or Timeouts()
        self._backoff = backoff or Backoff()
        self._context = context
        self._clock = clock
        self._jitter = jitter
        self._queue = FairQueue()
        self._turns = Turns(settings.connections, settings.connections_per_domain)
        self._live: set[Session] = set()
        self._idle: dict[Session, None] = {}
        self._leaving: set[Session] = set()
        self._openings: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._retry_at = 0.0  # in the future only while `trouble` is set
        self._closing = False
        self._all_closed: asyncio.Event | None = None

    def submit(self, outgoing: Outgoing) -> asyncio.Future[Receipt]:
        """Take one message; its receipt comes with the server's answer to its final dot, or when it is clear that
        there will be none. While the provider is in trouble the receipt comes at once (`DEFERRED`, not counted,
        `retry_after` set)."""
        job = Job(outgoing, asyncio.get_running_loop().create_future(), self._over)
        if self._closing:
            job.resolve(_CLOSING)
            return job.future
        self._queue.push(job)
        self._kick()
        return job.future

    def _waits_for(self, session: Session | None) -> bool:
        alone = self._queue.one_domain
        return self._queue.has(lambda job: self._turns.may(job, session, alone=alone))

    @property
    def waiting(self) -> int:
        """Messages no session has begun."""
        return len(self._queue)

    async def check(self) -> None:
        """Open a session, sign in, say QUIT. Raises `DeliveryError`."""
        session = await open_session(self.settings, _Alone(), self._timeouts, self._context)
        session.retire()

    async def close(self, grace: float = 30.0) -> None:
        """Take nothing more, give back what waits, let sessions finish the message in hand for `grace` seconds,
        then break them. Every submitted message has its receipt afterwards."""
        self._closing = True
        for job in self._queue.drain():
            job.resolve(_CLOSING)
        for task in list(self._openings):
            task.cancel()
        if self._openings:
            await asyncio.wait(self._openings)
        for session in list(self._live):
            session.retire()
        if self._live or self._leaving:
            self._all_closed = asyncio.Event()
            try:
                async with asyncio.timeout(grace):
                    await self._all_closed.wait()
            except TimeoutError:
                for session in [*self._live, *self._leaving]:
                    session.abort("stopped before the server answered")
        for job in self._queue.drain():
            job.resolve(_CLOSING)
        await asyncio.sleep(0)  # lets the transports close their sockets

    # --- what sessions call (`client.Owner`) --------------------------------------------------------------------

    def take(self, session: Session) -> Job | None:
        alone = self._queue.one_domain
        job = self._queue.pop(lambda job: self._turns.may(job, session, alone=alone))
        if job is not None:
            self._turns.begin(job, session)
        return job

    def _over(self, job: Job, receipt: Receipt) -> None:
        self._turns.end(job)
        self._turns.learn(job, receipt)
        if self._queue and self._idle:  # what had no place may have one now
            asyncio.get_running_loop().call_soon(self._kick)

    def idle(self, session: Session) -> None:
        self._idle[session] = None

    def untouched(self, session: Session, job: Job, receipt: Receipt, *, rode: bool) -> None:
        self._turns.end(job)
        # A rider had no try of its own, and at the head of the queue it gets one: this comes to an end.
        if session.served and not self._closing and (rode or not job.retried):
            job.retried = job.retried or not rode
            self._queue.push_front(job)
        else:
            job.resolve(receipt)

    def leaving(self, session: Session) -> None:
        self._live.discard(session)
        self._idle.pop(session, None)
        self._leaving.add(session)
        self._kick()

    def closed(self, session: Session, text: str | None) -> None:
        self._live.discard(session)
        self._idle.pop(session, None)
        self._leaving.discard(session)
        if session.served:
            self._failures = 0
        elif text is not None:
            # It let us in and then did nothing for us: no better than not letting us in.
            self._failed(DeliveryError(text, False, reason=Reason.CONNECTION_LOST))
        if self._all_closed is not None and not (self._live or self._leaving):
            self._all_closed.set()
        self._kick()

    # --- opening ------------------------------------------------------------------------------------------------

    def _kick(self) -> None:
        """See to it that what waits is served: by an idle session, a new one, those that are busy; or give it back."""
        for session in reversed(list(self._idle)):  # each once: it may rest again without a message
            if not self._queue:
                break
            if session in self._idle and self._waits_for(session):
                del self._idle[session]
                session.wake()
        if not self._queue or self._closing:
            return
        pause = self._retry_at - self._clock()
        if pause <= 0:
            room = self.settings.connections - len(self._live) - len(self._openings)
            if room > 0 and len(self._openings) < len(self._queue) and self._waits_for(None):
                task = asyncio.get_running_loop().create_task(self._open())
                self._openings.add(task)
                task.add_done_callback(self._opened)
        elif self.trouble is not None and not self._live and not self._openings:
            receipt = self.trouble.receipt(retry_after=pause)
            for job in self._queue.drain():
                job.resolve(receipt)

    async def _open(self) -> None:
        try:
            session = await open_session(self.settings, self, self._timeouts, self._context)
        except DeliveryError as error:
            self._failed(error)
            return
        self.trouble, self._retry_at = None, 0.0
        self._live.add(session)
        session.wake()

    def _opened(self, task: asyncio.Task[None]) -> None:
        self._openings.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # A fault of ours. What waits must not wait for ever, and the fault must be seen.
            self._failed(DeliveryError("a session could not be opened", False))
            asyncio.get_running_loop().call_exception_handler(
                {"message": "opening an SMTP session", "exception": error}
            )
        self._kick()

    def _failed(self, error: DeliveryError) -> None:
        now = self._clock()
        # What fails during a pause began before it: eight openings that fail together are one failure, not a
        # reason to wait 2⁸ times as long.
        if self._failures == 0 or now >= self._retry_at:
            self._failures += 1
        self.trouble = error
        pause = self._backoff.seconds(self._failures, error.permanent, self._jitter())
        self._retry_at = max(self._retry_at, now + pause)


class _Alone:
    """The owner of a session that is only a trial."""

    def take(self, session: Session) -> Job | None:
        return None

    def idle(self, session: Session) -> None: ...

    def untouched(self, session: Session, job: Job, receipt: Receipt, *, rode: bool) -> None: ...

    def leaving(self, session: Session) -> None: ...

    def closed(self, session: Session, text: str | None) -> None: ...


_CLOSING = Receipt(Outcome.DEFERRED, Reason.CLOSING, "the sender is stopping", counted=False)
