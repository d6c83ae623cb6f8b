"""What the connection pool says while the database is away, gathered into one line per outage and process: it would
warn for every connection and every look."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

QUIET_SECONDS = 30.0
"""An outage is over when the pool has had nothing to say for so long."""
_ABOUT_CONNECTIONS = (
    "error connecting",
    "discarding closed",
    "discarding broken",
    "closing returned",
    "reconnection attempt",
)
"""How the messages begin that come in numbers; what else the pool warns of is a fault of ours, and stays."""


class OncePerOutage(logging.Filter):
    """Lets the first of an outage through and holds back the others."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._last = float("-inf")

    def filter(self, record: logging.LogRecord) -> bool:
        if not str(record.msg).startswith(_ABOUT_CONNECTIONS):
            return True
        now = self._clock()
        first, self._last = now - self._last > QUIET_SECONDS, now
        if first:
            record.msg, record.args = f"the database is away: {record.getMessage()}", ()
        return first


def gather_outages() -> None:
    """For this process; again means anew."""
    logger = logging.getLogger("psycopg.pool")
    for known in [one for one in logger.filters if isinstance(one, OncePerOutage)]:
        logger.removeFilter(known)
    logger.addFilter(OncePerOutage())
