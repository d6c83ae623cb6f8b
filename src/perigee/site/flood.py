"""How often one address may call what everybody may call (TRACKING 2.4): a token bucket per address and process."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from perigee.errors import Limited
from perigee.settings import Settings

ADDRESSES = 50_000
BURST_SECONDS = 10
"""A server that reports for its whole shop comes in bursts."""


class Flood:
    """`per_second` calls of one address on average, ten seconds' worth at once; 0 = no limit."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = per_second
        self._burst = max(1.0, per_second * BURST_SECONDS)
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    @classmethod
    def of(cls, settings: Settings) -> Flood:
        return cls(settings.rate_tracker / settings.web_processes)

    def admit(self, address: str) -> None:
        """Takes one token. Raises Limited, with the whole seconds until there is one again."""
        if not self._rate:
            return
        now = self._clock()
        left, at = self._left.get(address, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._rate)
        if left < 1:
            raise Limited(
                "too many calls from this address", retry_after=max(1, math.ceil((1 - left) / self._rate))
            )
        self._left[address] = (left - 1, now)
        self._left.move_to_end(address)
        if len(self._left) > ADDRESSES:
            self._left.popitem(last=False)
