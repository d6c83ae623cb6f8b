"""The sender: works the frozen audience in windows, so that after any crash the books are exact (DESIGN 5).

Per batch: claim → load everybody → again and again *commit(outcomes so far, intent for the next) → look at
suppression → render → hand to the channel*. No message leaves before the commit that holds its intent, and no
more than `window_size` messages of a process have an intent without an outcome: those are what a crash leaves
*uncertain*. The channel's answers come while the next window is being written, so the pipe stays full.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import structlog
from psycopg import errors as pg

from perigee.db.pool import Database
from perigee.delivery import consequences, lease, retry
from perigee.delivery.channel import Advice, Channel, Outcome, Outgoing, Reason, Receipt
from perigee.delivery.lease import Entry, Lease, Retry, Window
from perigee.delivery.providers import Channels
from perigee.delivery.sends import Prepared, Send, Sends, Wait
from perigee.observe import MESSAGES
from perigee.settings import Settings

log = structlog.get_logger()

MARGIN = 0.2
"""Part of the lease that is not used for sending: clocks, scheduling, the time of the statement itself."""
FRESH_SECONDS = 1.0
"""A message that has not begun so long after the look at suppression is looked at again (reliability 7)."""
GATHER_SECONDS = 0.01
"""Outcomes wait so long for company before they are committed."""


class Resting:
    """Providers that are in trouble, by the time until which nothing more goes to them (this process's view)."""

    def __init__(self) -> None:
        self._until: dict[int, float] = {}

    def rest(self, provider_id: int, seconds: float) -> None:
        self._until[provider_id] = time.monotonic() + seconds

    def now(self) -> list[int]:
        moment = time.monotonic()
        self._until = {provider: until for provider, until in self._until.items() if until > moment}
        return list(self._until)


class Sender:
    """One sending process. `run` until `stop`; several processes share the work through leases."""

    def __init__(self, settings: Settings, database: Database, sends: Sends, channels: Channels) -> None:
        self.settings = settings
        self.database = database
        self.sends = sends
        self.channels = channels
        self.owner = uuid.uuid4()
        self.resting = Resting()
        self.free = settings.window_size
        self.runners: set[BatchRunner] = set()
        self.stop = asyncio.Event()

    async def run(self, *, idle_seconds: float = 0.5) -> None:
        """Claims batches as long as there are any. Two at once: one drains while the next begins."""
        running: set[asyncio.Task[None]] = set()
        while not self.stop.is_set():
            runner = await self._claim() if len(running) < 2 else None
            if runner is not None:
                task = asyncio.create_task(runner.run())
                running.add(task)
                self.runners.add(runner)
                task.add_done_callback(running.discard)
                waiting = [asyncio.create_task(runner.all_begun.wait()), task]
                await self._any(waiting)
                waiting[0].cancel()
            elif running:
                await asyncio.wait(running, timeout=idle_seconds, return_when=asyncio.FIRST_COMPLETED)
            else:
                await self._any([asyncio.create_task(self.stop.wait())], seconds=idle_seconds)
        for runner in self.runners:
            runner.wake.set()
        if running:
            await asyncio.wait(running)

    def release_room(self, messages: int) -> None:
        """Room in the window became free: whoever has messages to begin may take it."""
        if messages:
            self.free += messages
            for runner in self.runners:
                if not runner.all_begun.is_set():
                    runner.wake.set()

    async def _any(self, tasks: Sequence[asyncio.Task[object]], seconds: float | None = None) -> None:
        stop = asyncio.create_task(self.stop.wait())
        await asyncio.wait([*tasks, stop], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()

    async def _claim(self) -> BatchRunner | None:
        """The next batch, or None; also while the database is away, which is waited out."""
        try:
            return await self._claim_due()
        except pg.OperationalError as error:
            log.warning("no batch can be claimed", error=str(error).split("\n")[0])
            return None

    async def _claim_due(self) -> BatchRunner | None:
        asked_at = time.monotonic()
        found = await lease.claim(self.database, self.owner, self.settings.lease_seconds, self.resting.now())
        if found is None:
            return None
        try:
            send = await self.sends.get(found.org_id, found.send_id)
            channel = await self.channels.get(found.org_id, send.provider_id)
        except pg.OperationalError:
            raise  # the database's trouble, not the send's: whoever claims the batch next tries again
        except Exception as error:
            # A message that cannot be compiled or a provider that cannot be opened stops its own send only.
            log.exception("send cannot start", send_id=found.send_id)
            await consequences.pause_send(self.database, found.org_id, found.send_id, str(error)[:300])
            await lease.release(self.database, found)
            return None
        return BatchRunner(self, found, send, channel, asked_at)


class BatchRunner:
    """One batch from claim to end. Indexes count into the lease's recipients.

    Of the indexes before `position`, each is in `open` (intent, no outcome yet) or has its outcome: in `settled`
    when it still waits for a commit.
    """

    def __init__(
        self, sender: Sender, lease_: Lease, send: Send, channel: Channel, claimed_at: float
    ) -> None:
        self.sender = sender
        self.lease = lease_
        self.send = send
        self.channel = channel
        self.position = lease_.position
        self.open: dict[int, Prepared | None] = {}
        self.settled: list[tuple[int, Receipt | Wait | str]] = []
        self.again: list[int] = []
        self.people: dict[int, Prepared] = {}
        self.all_begun = asyncio.Event()
        self.wake = asyncio.Event()
        self.ours = True
        self.running = True
        self.stopped = False
        self.pause_provider: float | None = None
        self.room = 0  # of the process's window, held by us: goes back whatever happens
        self.last_commit = claimed_at
        self._hold(claimed_at)

    def _hold(self, since: float) -> None:
        self.deadline = since + self.sender.settings.lease_seconds * (1 - MARGIN)

    def _may_send(self) -> bool:
        """Asked right before a message is handed over: no dot after the lease's deadline (reliability 10)."""
        return self.ours and time.monotonic() < self.deadline

    async def run(self) -> None:
        try:
            await self._work()
        except pg.OperationalError as error:
            # The database went away: nothing more may leave; whoever claims the batch next settles it.
            log.warning(
                "batch abandoned",
                send_id=self.lease.send_id,
                batch=self.lease.batch_no,
                error=str(error).split("\n")[0],
            )
        except Exception:
            log.exception("batch failed", send_id=self.lease.send_id, batch=self.lease.batch_no)
        finally:
            self.ours = False
            self.all_begun.set()
            await self._wait_for_open()
            self.sender.runners.discard(self)
            self._give_back(self.room)

    async def _work(self) -> None:
        self.people = await self.send.load(self.sender.database, self.lease)
        size = len(self.lease.recipients)
        while True:
            begin = self._intend(size)
            over = self.position + len(begin) >= size and not begin and not self.open
            due = begin or self.settled or over or self._renewal_due()
            if due and not await self._commit(begin, done=over):
                return
            if over:
                await consequences.finish(self.sender.database, self.lease.org_id, self.lease.send_id)
                return
            if self.stopped and self.position < size:
                self._drop_rest(size)
            elif not self.running and not self.open and not self.settled:
                await lease.release(self.sender.database, self.lease, wait=self.pause_provider or 0.0)
                return
            await self._begin([*begin, *self._take_again()])
            if self.position >= size:
                self.all_begun.set()
            await self._wait()

    def _intend(self, size: int) -> list[int]:
        """Indexes to begin next, as far as the process's window has room. What the same commit settles makes room."""
        if self.sender.stop.is_set() or self.pause_provider is not None:
            self.running = False
        if not self.running:
            return []
        room = max(0, min(self.sender.free + len(self.settled), size - self.position))
        self._take(room)
        return list(range(self.position, self.position + room))

    def _drop_rest(self, size: int) -> None:
        """The campaign was stopped: whoever has no intent yet is recorded as not sent."""
        rest = range(self.position, size)
        self._take(len(rest))  # given back when they are committed, like all settled ones
        self.settled.extend((index, "stopped") for index in rest)
        self.position = size

    def _take(self, room: int) -> None:
        self.room += room
        self.sender.free -= room

    def _give_back(self, room: int) -> None:
        self.room -= room
        self.sender.release_room(room)

    def _renewal_due(self) -> bool:
        return time.monotonic() - self.last_commit > self.sender.settings.lease_seconds / 3

    async def _commit(self, begin: list[int], *, done: bool) -> bool:
        """False when the batch is not ours any more."""
        settled, self.settled = self.settled, []
        window = self._window(settled, begin, done)
        advised = self._advised(settled)
        asked_at = time.monotonic()
        state = await self._write(window)
        for index, _ in settled:
            self.people.pop(index, None)
        self.last_commit = asked_at
        if state is None:
            log.warning("lease lost", send_id=self.lease.send_id, batch=self.lease.batch_no)
            self.ours = False
            return False
        self._hold(asked_at)
        for entry in window.entries:
            MESSAGES.labels(self.send.channel, entry.outcome).inc()
        if state == "running":
            self.position += len(begin)
            self.open.update((index, self.people.get(index)) for index in begin)
            self._give_back(len(settled))
        else:
            self.running = False
            self.stopped = state == "stopped"
            self._give_back(len(settled) + len(begin))
            begin.clear()
        if advised:
            await consequences.follow(self, advised)
        return True

    def _advised(self, settled: list[tuple[int, Receipt | Wait | str]]) -> list[tuple[str, Receipt]]:
        """Address and receipt where the receipt means something beyond its own message."""
        return [
            (prepared.address, receipt)
            for index, receipt in settled
            if isinstance(receipt, Receipt)
            and receipt.advice is not Advice.NOTHING
            and (prepared := self.people.get(index)) is not None
        ]

    async def _write(self, window: Window) -> str | None:
        seconds = self.sender.settings.lease_seconds
        async with self.sender.database.connection() as connection:
            try:
                return await lease.commit(connection, self.lease, window, seconds)
            except pg.UniqueViolation:
                # Two contacts took one address after launch. The account by recipient stays exact; the address of
                # the second copy is left out of the ledger.
                for entry in window.entries:
                    entry.text = entry.text or (f"also sent to {entry.address}" if entry.address else None)
                    entry.address = None
                return await lease.commit(connection, self.lease, window, seconds)

    def _window(
        self, settled: list[tuple[int, Receipt | Wait | str]], begin: list[int], done: bool
    ) -> Window:
        window = Window(
            position=self.position + len(begin),
            still_position=self.position,
            in_flight=[*self.open, *begin],
            still_in_flight=list(self.open),
            done=done,
            provider_id=self.send.provider_id,
            reports=self.channel.reports,
        )
        for index, result in settled:
            self._account(window, index, result)
        return window

    def _account(self, window: Window, index: int, result: Receipt | Wait | str) -> None:
        lease_, prepared = self.lease, self.people.get(index)
        ordinal, recipient = lease_.ordinals[index], lease_.recipients[index]
        contact_id = prepared.contact_id if prepared else self.send.contact_of(recipient)
        if isinstance(result, str):
            window.entries.append(Entry(ordinal, contact_id, None, "dropped", result))
            return
        if isinstance(result, Wait):
            window.retries.append(Retry(ordinal, recipient, lease_.attempt, *result))
            return
        assert prepared is not None
        address = None if prepared.copy else prepared.address
        entry = Entry(ordinal, contact_id, address, result.outcome, result.reason, language=prepared.language)
        entry.text = (
            " ".join(p for p in (str(result.code or ""), result.text or result.enhanced) if p)[:500] or None
        )
        if result.outcome is Outcome.DEFERRED:
            if not retry.is_over(self.send.age(), marketing=self.send.marketing):
                window.retries.append(self._retry(index, result))
                return
            entry.outcome, entry.reason = "failed", Reason.EXPIRED
        elif result.outcome is Outcome.SENT:
            entry.text = None
            entry.provider_ids = result.provider_ids
        window.entries.append(entry)

    def _retry(self, index: int, receipt: Receipt) -> Retry:
        lease_ = self.lease
        attempt = lease_.attempt + 1 if receipt.counted else lease_.attempt
        seconds = retry.wait(
            lease_.attempt,
            counted=receipt.counted,
            asked=receipt.retry_after,
            jitter=self._jitter(index),
        )
        if receipt.reason in (Reason.LEASE_LOST, Reason.CLOSING):
            seconds = 0.0
        return Retry(
            lease_.ordinals[index],
            lease_.recipients[index],
            attempt,
            seconds,
            receipt.reason or "unclassified",
        )

    def _jitter(self, index: int) -> float:
        """Spread without a random source: the fractional part of a golden-ratio walk over the recipients."""
        return (self.lease.ordinals[index] * 0.618033988749895) % 1.0

    async def _begin(self, indexes: list[int]) -> None:
        """Looks at suppression once more, renders and hands over."""
        if not indexes:
            return
        asked_at = time.monotonic()
        suppressed = await self.send.suppressed(self.sender.database, self.lease, indexes)
        fresh_until = asked_at + FRESH_SECONDS
        clocks = self.send.clocks(datetime.now(UTC))
        for number, index in enumerate(indexes):
            prepared = self.people.get(index)
            reason = suppressed.get(self.lease.recipients[index])
            if reason is not None or prepared is None:
                self._settle(index, reason or "deleted")
                continue
            if (later := clocks(prepared)) is not None:
                self._settle(index, later)
                continue
            outgoing = self.send.outgoing(self.lease, index, prepared, self._may_send, fresh_until)
            if isinstance(outgoing, Receipt):
                self._settle(index, outgoing)
                continue
            self.channel.submit(outgoing).add_done_callback(self._on_receipt(index, outgoing))
            if number % 8 == 7:
                await asyncio.sleep(0)  # let the connections read and write while we render

    def _on_receipt(self, index: int, outgoing: Outgoing) -> Callable[[asyncio.Future[Receipt]], None]:
        def settle(future: asyncio.Future[Receipt]) -> None:
            receipt = future.result()
            if receipt.reason is Reason.STALE and self.ours:
                self.again.append(index)
            elif index in self.open:
                self._settle(index, receipt)
            self._nudge()

        return settle

    def _settle(self, index: int, result: Receipt | Wait | str) -> None:
        del self.open[index]
        self.settled.append((index, result))

    def _take_again(self) -> list[int]:
        again, self.again = self.again, []
        return again

    def _nudge(self) -> None:
        """Wakes the loop when half of the open messages have answered, or soon after the first."""
        if self._worth_a_commit():
            self.wake.set()
        elif len(self.settled) == 1:
            asyncio.get_running_loop().call_later(GATHER_SECONDS, self.wake.set)

    def _worth_a_commit(self) -> bool:
        return bool(self.again) or len(self.settled) >= max(len(self.open), 1)

    async def _wait(self) -> None:
        if self._worth_a_commit():
            await asyncio.sleep(0)
            return
        self.wake.clear()
        # The timeout is the heartbeat that renews the lease while the other side is slow.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.wake.wait(), self.sender.settings.lease_seconds / 4)

    async def _wait_for_open(self) -> None:
        """After the batch is lost: what was handed over ends in its receipt, but nothing is written any more."""
        until = time.monotonic() + self.sender.settings.lease_seconds
        while self.open and time.monotonic() < until:  # noqa: ASYNC110  # receipts come one by one, rarely here
            await asyncio.sleep(0.02)
        self.open.clear()
        self.settled.clear()
