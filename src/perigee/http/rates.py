"""Limits on calls: a token bucket per organisation and rate, shared by all processes through PostgreSQL.

A process draws a handful of tokens at a time and spends them from memory, so a busy method costs one statement per
many calls; how many it draws follows how fast they go. Tokens that lie unused for a second are dropped: many
processes can make a limit a little tighter, never looser.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from perigee.db.pool import Database
from perigee.db.queries import load
from perigee.errors import Limited

q = load(__package__)

KEEP_SECONDS = 1.0
"""How long drawn tokens may be spent."""
FAST_SECONDS = 0.1
"""A share spent within this time is drawn twice as large the next time."""
SHARES = 100_000


@dataclass(frozen=True, slots=True)
class Rate:
    """`amount` calls in `seconds`, as a bucket of that size that refills evenly. An `amount` of 0 is no limit."""

    name: str
    amount: int
    seconds: int = 1

    @property
    def per_second(self) -> float:
        return self.amount / self.seconds

    @property
    def most(self) -> int:
        """The most tokens that one draw takes: what the rate brings in a twentieth of a second."""
        return max(1, int(self.per_second / 20))


@dataclass(slots=True)
class _Share:
    """What this process holds of one bucket."""

    tokens: int = 0
    drawn: float = 0.0
    want: int = 1
    refused_until: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Rates:
    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._shares: dict[tuple[int, str], _Share] = {}

    async def spend(self, org_id: int, rate: Rate) -> None:
        """Takes one token. Raises Limited, with the whole seconds until there is one again."""
        if not rate.amount:
            return
        share = self._share(org_id, rate.name)
        if self._spend_held(share, rate):
            return
        async with share.lock:
            if not self._spend_held(share, rate):
                await self._draw(share, org_id, rate)

    def _share(self, org_id: int, name: str) -> _Share:
        share = self._shares.get((org_id, name))
        if share is None:
            if len(self._shares) >= SHARES:
                self._shares.clear()
            share = self._shares[org_id, name] = _Share()
        return share

    def _spend_held(self, share: _Share, rate: Rate) -> bool:
        now = self._clock()
        if now < share.refused_until:
            raise _limited(rate, share.refused_until - now)
        if share.tokens and now - share.drawn < KEEP_SECONDS:
            share.tokens -= 1
            return True
        return False

    async def _draw(self, share: _Share, org_id: int, rate: Rate) -> None:
        now = self._clock()
        share.want = min(share.want * 2, rate.most) if now - share.drawn < FAST_SECONDS else 1
        async with self._database.connection() as connection:
            cursor = await connection.execute(
                q.draw_tokens,
                {
                    "org_id": org_id,
                    "name": rate.name,
                    "burst": float(rate.amount),
                    "per_second": rate.per_second,
                    "want": float(share.want),
                },
            )
            row = await cursor.fetchone()
        assert row is not None
        granted, left = int(row[0]), float(row[1])
        share.drawn = self._clock()
        if not granted:
            wait = (1 - left) / rate.per_second
            share.refused_until = share.drawn + wait
            raise _limited(rate, wait)
        share.tokens = granted - 1


def _limited(rate: Rate, wait: float) -> Limited:
    per = {1: "second", 60: "minute", 3600: "hour"}.get(rate.seconds, f"{rate.seconds} seconds")
    return Limited(
        f"more than {rate.amount} calls a {per} ({rate.name})", retry_after=max(1, math.ceil(wait))
    )
