"""Messages on their way from the sender to a session, and what sessions ask of whoever hands them out."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from perigee.delivery.channel import Outgoing, Receipt

if TYPE_CHECKING:
    from perigee.delivery.channels.smtp.client import Session


class Job:
    """One message inside the pool, and the future its sender waits on."""

    __slots__ = ("domain", "future", "outgoing", "over", "retried", "session", "single")

    def __init__(
        self,
        outgoing: Outgoing,
        future: asyncio.Future[Receipt],
        over: Callable[[Job, Receipt], None] | None = None,
    ) -> None:
        """`over` is told when the message has its receipt."""
        self.outgoing = outgoing
        self.future = future
        self.over = over
        self.retried = False
        self.session: Session | None = None  # that has it in hand
        self.single = outgoing.single
        self.domain = outgoing.address.rpartition("@")[2].lower()

    def resolve(self, receipt: Receipt) -> None:
        if not self.future.done():
            self.future.set_result(receipt)
        # Also when nobody waits any more: the place it had on its session must become free.
        over, self.over = self.over, None
        if over is not None:
            over(self, receipt)


class Owner(Protocol):
    """What a session needs of the pool it belongs to."""

    def take(self, session: Session) -> Job | None:
        """The next message that this session may carry, or None when none waits."""

    def idle(self, session: Session) -> None:
        """The session is at a clean boundary and nothing waits that it may carry."""

    def untouched(self, session: Session, job: Job, receipt: Receipt, *, rode: bool) -> None:
        """The session broke before this message's dot: it was not sent. `receipt` is for the case that nobody
        else can send it now; it `rode` when its envelope went out behind another message's dot. Followed by
        `closed`."""

    def leaving(self, session: Session) -> None:
        """The session says QUIT and takes no more messages; another may be opened in its place."""

    def closed(self, session: Session, text: str | None) -> None:
        """The session is over; `text` says what broke it, None when it ended in order. Called once."""


class FairQueue:
    """Sends take turns, so a small one never waits behind a big one; so do the domains of a send. First come, first
    served within a domain of a send."""

    def __init__(self) -> None:
        self._sends: OrderedDict[tuple[int, int], OrderedDict[str, deque[Job]]] = OrderedDict()
        self._domains: Counter[str] = Counter()
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def one_domain(self) -> bool:
        """Whether all that waits goes to one."""
        return len(self._domains) <= 1

    def push(self, job: Job) -> None:
        self._line(job).append(job)

    def push_front(self, job: Job) -> None:
        self._line(job).appendleft(job)

    def _line(self, job: Job) -> deque[Job]:
        self._size += 1
        self._domains[job.domain] += 1
        lines = self._sends.setdefault((job.outgoing.org_id, job.outgoing.send_id), OrderedDict())
        return lines.setdefault(job.domain, deque())

    def has(self, allowed: Callable[[Job], bool]) -> bool:
        """Whether any message that is first in its line is allowed."""
        return any(allowed(line[0]) for lines in self._sends.values() for line in lines.values())

    def pop(self, allowed: Callable[[Job], bool] = lambda _: True) -> Job | None:
        """The next one that is allowed."""
        for key, lines in self._sends.items():
            for domain, line in lines.items():
                if allowed(line[0]):
                    return self._take(key, domain)
        return None

    def _take(self, key: tuple[int, int], domain: str) -> Job:
        lines = self._sends[key]
        line = lines[domain]
        job = line.popleft()
        self._size -= 1
        self._domains[domain] -= 1
        if not self._domains[domain]:
            del self._domains[domain]
        if line:
            lines.move_to_end(domain)
        else:
            del lines[domain]
        if not lines:
            del self._sends[key]
        elif len(self._sends) > 1:
            self._sends.move_to_end(key)
        return job

    def drain(self) -> Iterator[Job]:
        while (job := self.pop()) is not None:
            yield job
