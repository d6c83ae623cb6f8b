"""Wrong credentials, counted by the address they come from (protocols, threats: "Guessing API keys").

Only failures count, and a good key goes on working from the same address: many shops share one. There is no lock-out
of an organisation or login, which a stranger could cause.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from perigee.errors import Limited

ADDRESSES = 50_000


class Failures:
    """At most `per_minute` failures a minute for each address, as a bucket that refills evenly."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = float(per_minute)
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def check(self, address: str) -> None:
        """Raises Limited when this address has used up its failures."""
        left = self._now(address)
        if left < 1:
            wait = (1 - left) * 60 / self._most
            raise Limited("too many wrong credentials from this address", retry_after=max(1, math.ceil(wait)))

    def note(self, address: str) -> None:
        """Counts one failure. Raises Limited as `check` does, then without counting."""
        self.check(address)
        self._left[address] = (self._now(address) - 1, self._clock())
        self._left.move_to_end(address)
        if len(self._left) > ADDRESSES:
            self._left.popitem(last=False)

    def _now(self, address: str) -> float:
        left, at = self._left.get(address, (self._most, 0.0))
        return min(self._most, left + (self._clock() - at) * self._most / 60)
