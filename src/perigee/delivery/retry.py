"""When a message that could not be sent now is tried again (protocols 2.5)."""

from __future__ import annotations

FIRST = 300.0
"""Seconds before the second try; doubled each time. A first 4xx is often greylisting, which wants 5–10 minutes."""
LONGEST = 66 * 60.0
SOON = 15.0
"""After trouble that is nobody's fault: a lost connection, a provider that restarts."""
GIVE_UP_MARKETING = 5 * 86_400.0
GIVE_UP_TRANSACTIONAL = 3_600.0


def wait(attempt: int, *, counted: bool, asked: float | None, jitter: float) -> float:
    """Seconds to wait before the try after `attempt` (from 1).

    `asked` is what the other side asked for; `jitter` from 0 to 1 spreads the wait by ±20 %.
    """
    base = min(FIRST * 2 ** min(attempt - 1, 10), LONGEST) if counted else SOON
    if asked is not None:
        base = max(asked, 1.0) if not counted else max(base, asked)
    return base * (0.8 + 0.4 * jitter)


def is_over(age: float, *, marketing: bool) -> bool:
    """Has a message been tried for so long (seconds since its first attempt) that it is given up? However late its turn
    came: a limit may spread a send over more days than one message is tried."""
    return age > (GIVE_UP_MARKETING if marketing else GIVE_UP_TRANSACTIONAL)
