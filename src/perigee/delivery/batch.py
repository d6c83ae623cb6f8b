"""One batch from claim to end, in windows, so that after any crash the books are exact (DESIGN 5).

Per batch: load everybody → again and again *commit(outcomes so far, intent for the next) → look at suppression →
render → hand to the channel*. No message leaves before the commit that holds its intent. The channel's answers come
while the next window is being written, so the pipe stays full. A database that goes away is waited for as long as the
lease is ours: what was learned meanwhile is kept, and written as soon as it is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import structlog
from psycopg import errors as pg

from perigee.db.pool import Connection
from perigee.delivery import consequences, lease, retry
from perigee.delivery.channel import Advice, Channel, Outcome, Outgoing, Reason, Receipt
from perigee.delivery.lease import Entry, Lease, Retry, Window
from perigee.delivery.pace import Share
from perigee.delivery.sends import Prepared, Send, Wait
from perigee.observe import MESSAGES

if TYPE_CHECKING:
    from perigee.delivery.sender import Sender

log = structlog.get_logger()
T = TypeVar("T")

MARGIN = 0.2
"""Part of the lease that is not used for sending: clocks, scheduling, the time of the statement itself."""
FRESH_SECONDS = 1.0
"""A message that has not begun so long after the look at suppression is looked at again (reliability 7)."""
GATHER_SECONDS = 0.01
"""Outcomes wait so long for company before they are committed."""
OTHER_PROVIDER_SECONDS = 1.0
"""What one provider gave back waits so long until it is brought to another."""
LOOK_AGAIN_SECONDS = 0.2
"""So often a database that went away is looked for."""


class Carrier(NamedTuple):
    """Who carries a batch; `others`: there are more providers that could."""

    provider_id: int
    channel: Channel
    others: bool


class BatchRunner:
    """One batch from claim to end. Indexes count into the lease's recipients.

    Of the indexes before `position`, each is in `open` (intent, no outcome yet) or has its outcome: in `settled`
    when it still waits for a commit.
    """

    def __init__(
        self, sender: Sender, lease_: Lease, send: Send, carrier: Carrier, claimed_at: float
    ) -> None:
        self.sender = sender
        self.lease = lease_
        self.send = send
        self.carrier = carrier
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
        self.provider_rests = False
        self.places: list[str] = []  # where each recipient's message goes; '' where it does not matter
        self.distinct: set[str] = set()
        self.room = 0  # of the process's window, held by us: goes back whatever happens
        self.windows = lease_.windows
        self._hold(claimed_at)

    def _hold(self, since: float) -> None:
        """The lease was renewed by a statement that began at `since` (monotonic)."""
        seconds = self.sender.settings.lease_seconds
        self.last_commit = since
        self.deadline = since + seconds * (1 - MARGIN)
        self.ends = since + seconds

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        """Does again what failed because the database was away, as long as the lease is ours."""
        while True:
            try:
                return await work()
            except pg.OperationalError:
                if time.monotonic() + LOOK_AGAIN_SECONDS > self.ends:
                    raise
                await asyncio.sleep(LOOK_AGAIN_SECONDS)

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
        self.people = await self._patiently(lambda: self.send.load(self.sender.database, self.lease))
        self._find_places()
        size = len(self.lease.recipients)
        while True:
            share = await self._intend(size)
            over = self.position + share.advanced >= size and not share.advanced and not self.open
            due = share.advanced or self.settled or over or self._renewal_due()
            if due and not await self._commit(share, done=over):
                return
            if over:
                await self._patiently(self._finish)
                return
            if self.stopped and self.position < size:
                self._drop_rest(size)
            elif not self.running and not self.open and not self.settled:
                await self._patiently(self._release)
                return
            await self._begin([*share.begin, *self._take_again()])
            if self.position >= size:
                self.all_begun.set()
            await self._wait()

    async def _finish(self) -> None:
        await consequences.finish(self.sender.database, self.lease.org_id, self.lease.send_id)

    async def _release(self) -> None:
        """Gives the batch back, at once where another provider can take it."""
        wait = await self.sender.provider_wait(self.send) if self.provider_rests else 0.0
        await lease.release(self.sender.database, self.lease, wait=wait)

    def _find_places(self) -> None:
        self.places = [""] * len(self.lease.recipients)
        if self.send.channel == "email":
            place_of = self.sender.pacing.place_of
            for index, prepared in self.people.items():
                self.places[index] = place_of(prepared.address)
            self.distinct = set(self.places)

    async def _intend(self, size: int) -> Share:
        """Indexes to begin next, as far as the process's window has room and there are tokens. What the same commit
        settles makes room."""
        if self.sender.stop.is_set() or self.provider_rests:
            self.running = False
        free = self.sender.free_for(self.lease.lane) + len(self.settled)
        room = max(0, min(free, size - self.position))
        if not self.running or not room:
            return Share()
        self._take(room)
        share = await self._patiently(lambda: self._share(range(self.position, size), room))
        self._give_back(room - len(share.begin))
        if share.wait is not None:
            self.sender.resting.rest(self.lease.org_id, self.carrier.provider_id, share.wait)
            self.provider_rests, self.running = True, False
        return share

    async def _share(self, indexes: range, room: int) -> Share:
        org_id, provider_id = self.lease.org_id, self.carrier.provider_id
        return await self.sender.pacing.share(org_id, provider_id, indexes, self.places, self.distinct, room)

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

    async def _commit(self, share: Share, *, done: bool) -> bool:
        """False when the batch is not ours any more. Of a send that does not run any more nobody is begun or held."""
        begin = share.begin
        settled, self.settled = self.settled, []
        window = self._window(settled, share, done)
        advised = self._advised(settled)
        state, asked_at = await self._write(window)
        for index, _ in settled:
            self.people.pop(index, None)
        if state is None:
            log.warning("lease lost", send_id=self.lease.send_id, batch=self.lease.batch_no)
            self.ours = False
            return False
        self._hold(asked_at)
        self.windows += 1
        for entry in window.entries:
            MESSAGES.labels(self.send.channel, entry.outcome).inc()
        if state == "running":
            self.position += share.advanced
            self.open.update((index, self.people.get(index)) for index in begin)
            self._give_back(len(settled))
        else:
            self.running = False
            self.stopped = state == "stopped"
            self._give_back(len(settled) + len(begin))
            begin.clear()
        answers = Counter(self.places[index] for index, result in settled if isinstance(result, Receipt))
        for place, number in answers.items():
            self.sender.pacing.speeds.count((self.lease.org_id, self.carrier.provider_id, place), number)
        if advised:
            await self._patiently(lambda: consequences.follow(self, advised, answers))
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

    async def _write(self, window: Window) -> tuple[str | None, float]:
        """(state of the send or None, when the statement that renewed the lease began)."""
        tries: list[float] = []

        async def write() -> tuple[str | None, float]:
            tries.append(time.monotonic())
            async with self.sender.database.connection() as connection:
                state = await self._write_once(connection, window)
                if state is None and len(tries) > 1:  # perhaps only the answer was lost
                    return await lease.written(connection, self.lease, window), tries[0]
            return state, tries[-1]

        return await self._patiently(write)

    async def _write_once(self, connection: Connection, window: Window) -> str | None:
        seconds = self.sender.settings.lease_seconds
        try:
            return await lease.commit(connection, self.lease, window, seconds)
        except pg.UniqueViolation:
            # Two contacts took one address after launch. The account by recipient stays exact; the address of
            # the second copy is left out of the ledger.
            for entry in window.entries:
                entry.text = entry.text or (f"also sent to {entry.address}" if entry.address else None)
                entry.address = None
            return await lease.commit(connection, self.lease, window, seconds)

    def _window(self, settled: list[tuple[int, Receipt | Wait | str]], share: Share, done: bool) -> Window:
        window = Window(
            position=self.position + share.advanced,
            still_position=self.position,
            in_flight=[*self.open, *share.begin],
            still_in_flight=list(self.open),
            done=done,
            number=self.windows,
            provider_id=self.carrier.provider_id,
            reports=self.carrier.channel.reports,
        )
        for index, result in settled:
            self._account(window, index, result)
        for index, seconds in share.held:
            ordinal, recipient = self.lease.ordinals[index], self.lease.recipients[index]
            window.retries.append(Retry(ordinal, recipient, self.lease.attempt, seconds, "paced", held=True))
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
            if not retry.is_over(lease_.tried_for(), marketing=self.send.marketing):
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
        elif receipt.advice is Advice.PAUSE_PROVIDER and self.carrier.others:
            seconds = min(seconds, OTHER_PROVIDER_SECONDS)
        return Retry(
            lease_.ordinals[index],
            lease_.recipients[index],
            attempt,
            seconds,
            receipt.reason or "unclassified",
            tried=True,
        )

    def _jitter(self, index: int) -> float:
        """Spread without a random source: the fractional part of a golden-ratio walk over the recipients."""
        return (self.lease.ordinals[index] * 0.618033988749895) % 1.0

    async def _begin(self, indexes: list[int]) -> None:
        """Looks at suppression once more, renders and hands over."""
        if not indexes:
            return
        suppressed, fresh_until = await self._patiently(lambda: self._look_at(indexes))
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
            self.carrier.channel.submit(outgoing).add_done_callback(self._on_receipt(index, outgoing))
            if number % 8 == 7:
                await asyncio.sleep(0)  # let the connections read and write while we render

    async def _look_at(self, indexes: list[int]) -> tuple[dict[int, str | Wait], float]:
        """Who is suppressed now, or must wait, and why; until when (monotonic) that may be relied on."""
        asked_at = time.monotonic()
        found = await self.send.suppressed(self.sender.database, self.lease, indexes)
        return found, asked_at + FRESH_SECONDS

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
