"""How fast parts may go to one operator: the rate agreed, and less after it says that it is too much."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

_BURST_SECONDS: Final = 0.1
_REST_SECONDS: Final = 1.0
_RECOVERY: Final = 1.25
_SLOWEST: Final = 1.0
_ONE: Final = 1.0 - 1e-9  # sums of fractions come to a little less


class Pace:
    """A token bucket. A throttling reply halves its rate, at most once a second, however many come of one burst; each
    second without one gives a quarter back."""

    def __init__(self, rate: float, clock: Callable[[], float]) -> None:
        """`rate` per second, 0 for no limit; `clock` in seconds."""
        self._most = rate or math.inf
        self.rate = self._most
        self._clock = clock
        self._tokens = self._room()
        self._filled_at = clock()
        self._slowed_at = -math.inf
        self._counted_from = clock()
        self._counted = 0
        self._seen = 0.0  # parts per second, of the last second with any

    def wait(self) -> float:
        """Seconds until the next part may go; 0 takes its place."""
        now = self._clock()
        if self.rate == math.inf:
            self._count(now)
            return 0.0
        self._recover(now)
        self._tokens = min(self._room(), self._tokens + (now - self._filled_at) * self.rate)
        self._filled_at = now
        if self._tokens < _ONE:
            return (1.0 - self._tokens) / self.rate
        self._tokens -= 1.0
        self._count(now)
        return 0.0

    def slow_down(self) -> None:
        now = self._clock()
        if now - self._slowed_at < _REST_SECONDS:
            return
        seen = max(self._seen, self._counted / max(now - self._counted_from, _REST_SECONDS))
        self.rate = max(_SLOWEST, min(self.rate, seen) / 2)
        self._slowed_at = self._filled_at = now
        self._tokens = 0.0

    def _count(self, now: float) -> None:
        self._counted += 1
        if (passed := now - self._counted_from) >= _REST_SECONDS:
            self._seen = self._counted / passed
            self._counted, self._counted_from = 0, now

    def _recover(self, now: float) -> None:
        if self._slowed_at == -math.inf:
            return
        while now - self._slowed_at >= 2 * _REST_SECONDS:
            self._slowed_at += _REST_SECONDS
            self.rate *= _RECOVERY
            if self.rate >= min(self._most, 1e5):
                self.rate, self._slowed_at = self._most, -math.inf
                return

    def _room(self) -> float:
        return max(1.0, self.rate * _BURST_SECONDS)
