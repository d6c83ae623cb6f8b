"""How many of a pool's connections a domain, and all campaigns together, may keep busy: so that one slow destination
behind a relay cannot take them all, and a single message finds one."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from perigee.delivery.channel import Outcome, Reason, Receipt

if TYPE_CHECKING:
    from perigee.delivery.channels.smtp.client import Session
    from perigee.delivery.channels.smtp.queue import Job

KEEPS_FROM = 4
"""With fewer connections none is kept for anybody."""
GROWS_AFTER = 10
"""After so many messages taken without trouble, a domain that had asked us to stop gets one more connection."""


class Turns:
    """What is in the hands of sessions. A message that goes behind another one of its kind on the same connection
    costs nobody a place."""

    def __init__(self, connections: int, per_domain: int = 0) -> None:
        self._keeps = connections >= KEEPS_FROM
        self._connections = connections
        self._campaigns = connections - 1 if self._keeps else connections
        self._fixed = per_domain
        self._of_domain: dict[str, Counter[Session | None]] = {}
        self._of_session: Counter[Session | None] = Counter()
        self._of_campaigns: Counter[Session | None] = Counter()
        self._careful: dict[
            str, tuple[int, int]
        ] = {}  # of a domain: its most connections, taken since it has them

    def may(self, job: Job, session: Session | None, *, alone: bool) -> bool:
        """Whether `session` (None: a new one) may carry it. `alone`: no other domain waits."""
        if not job.single and self._of_campaigns[session] == 0 and len(self._of_campaigns) >= self._campaigns:
            return False
        busy = self._of_domain.get(job.domain)
        if busy is not None and busy[session] > 0:
            return True
        if session is not None and self._of_session[session] and not session.served:
            return False  # nothing goes behind the first message of a session to another domain, which may be slow
        return busy is None or len(busy) < self._most(job, alone=alone)

    def _most(self, job: Job, *, alone: bool) -> int:
        careful = self._careful.get(job.domain)
        if careful is not None:
            return careful[0]
        if self._fixed:
            return self._fixed
        if not self._keeps:
            return self._connections if alone else max(1, self._connections // 2)
        if job.single:
            return self._connections - 1
        return self._campaigns - 1 if alone else self._connections // 2

    def begin(self, job: Job, session: Session) -> None:
        job.session = session
        self._of_session[session] += 1
        self._of_domain.setdefault(job.domain, Counter())[session] += 1
        if not job.single:
            self._of_campaigns[session] += 1

    def end(self, job: Job) -> None:
        """It is out of its session's hands."""
        session, job.session = job.session, None
        if session is None:
            return
        _less(self._of_session, session)
        busy = self._of_domain[job.domain]
        _less(busy, session)
        if not busy:
            del self._of_domain[job.domain]
        if not job.single:
            _less(self._of_campaigns, session)

    def learn(self, job: Job, receipt: Receipt) -> None:
        """After "too fast" (4.7.28) a domain comes back with one connection, and with more as it takes our mail."""
        if receipt.reason is Reason.QUOTA:
            self._careful[job.domain] = (1, 0)
        elif receipt.outcome is Outcome.SENT and job.domain in self._careful:
            most, taken = self._careful[job.domain]
            if taken + 1 < GROWS_AFTER:
                self._careful[job.domain] = most, taken + 1
            elif most + 1 < self._connections // 2:
                self._careful[job.domain] = most + 1, 0
            else:
                del self._careful[job.domain]


def _less(counter: Counter[Session | None], session: Session) -> None:
    counter[session] -= 1
    if not counter[session]:
        del counter[session]
