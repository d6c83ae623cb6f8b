"""Messages on their way from the sender to a session, and what sessions ask of whoever hands them out."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from perigee.delivery.channel import Outgoing, Receipt

if TYPE_CHECKING:
    from perigee.delivery.channels.smtp.client import Session


class Job:
    """One message inside the pool, and the future its sender waits on."""

    __slots__ = ("future", "outgoing", "retried")

    def __init__(self, outgoing: Outgoing, future: asyncio.Future[Receipt]) -> None:
        self.outgoing = outgoing
        self.future = future
        self.retried = False

    def resolve(self, receipt: Receipt) -> None:
        if not self.future.done():
            self.future.set_result(receipt)


class Owner(Protocol):
    """What a session needs of the pool it belongs to."""

    def take(self) -> Job | None:
        """The next message, or None when none waits."""

    def idle(self, session: Session) -> None:
        """The session is at a clean boundary and nothing waits."""

    def untouched(self, session: Session, job: Job, receipt: Receipt, *, rode: bool) -> None:
        """The session broke before this message's dot: it was not sent. `receipt` is for the case that nobody
        else can send it now; it `rode` when its envelope went out behind another message's dot. Followed by
        `closed`."""

    def leaving(self, session: Session) -> None:
        """The session says QUIT and takes no more messages; another may be opened in its place."""

    def closed(self, session: Session, text: str | None) -> None:
        """The session is over; `text` says what broke it, None when it ended in order. Called once."""


class FairQueue:
    """First come, first served within a send; sends take turns, so a small one never waits behind a big one."""

    def __init__(self) -> None:
        self._sends: OrderedDict[tuple[int, int], deque[Job]] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def push(self, job: Job) -> None:
        self._line(job).append(job)
        self._size += 1

    def push_front(self, job: Job) -> None:
        self._line(job).appendleft(job)
        self._size += 1

    def _line(self, job: Job) -> deque[Job]:
        key = (job.outgoing.org_id, job.outgoing.send_id)
        line = self._sends.get(key)
        if line is None:
            line = self._sends[key] = deque()
        return line

    def pop(self) -> Job | None:
        if not self._size:
            return None
        key = next(iter(self._sends))
        line = self._sends[key]
        job = line.popleft()
        self._size -= 1
        if not line:
            del self._sends[key]
        elif len(self._sends) > 1:
            self._sends.move_to_end(key)
        return job

    def drain(self) -> Iterator[Job]:
        while (job := self.pop()) is not None:
            yield job
