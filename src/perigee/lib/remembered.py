"""Look-ups remembered for a while, misses too: for what every public call asks and hardly ever changes."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Remembered(Generic[Key, Value]):
    """`look` finds a value by its key, or None. At most `keep` answers are kept, each for `seconds`."""

    def __init__(
        self,
        look: Callable[[Key], Awaitable[Value | None]],
        *,
        seconds: float = 60.0,
        keep: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look = look
        self._seconds = seconds
        self._keep = keep
        self._clock = clock
        self._kept: OrderedDict[Key, tuple[Value | None, float]] = OrderedDict()

    async def get(self, key: Key) -> Value | None:
        kept = self._kept.get(key)
        if kept is not None and self._clock() - kept[1] < self._seconds:
            return kept[0]
        found = await self._look(key)
        self._kept[key] = (found, self._clock())
        self._kept.move_to_end(key)
        if len(self._kept) > self._keep:
            self._kept.popitem(last=False)
        return found
