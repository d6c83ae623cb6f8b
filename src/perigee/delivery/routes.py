"""Which provider takes the next batch of a send: decided at each claim, so that another one takes over when the first
is in trouble or at its limit."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from perigee.db.pool import Database
from perigee.db.queries import load

q = load(__package__)


class Route(NamedTuple):
    """A provider of a channel."""

    provider_id: int
    kind: str
    priority: int
    weight: int
    enabled: bool


class Resting:
    """Providers that take nothing for a while, because of trouble or of a limit (this process's view)."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[tuple[int, int], float] = {}

    def rest(self, org_id: int, provider_id: int, seconds: float) -> None:
        self._until[org_id, provider_id] = self._clock() + seconds

    def wait(self, org_id: int, provider_id: int) -> float:
        """Seconds until it may be tried again; 0 when it is not resting."""
        until = self._until.get((org_id, provider_id), 0.0)
        left = until - self._clock()
        if left <= 0 and until:
            del self._until[org_id, provider_id]
        return max(left, 0.0)


def candidates(routes: list[Route], first: int) -> list[Route]:
    """Providers that may carry a send whose provider at launch was `first`, best first.

    The sandbox never stands in for a real provider, nor a real one for the sandbox: what began in the sandbox stays
    there. Where no other is enabled, a provider that was switched off carries what it carried."""
    own = next((route for route in routes if route.provider_id == first), None)
    if own is None or own.kind != "sandbox":
        real = [route for route in routes if route.enabled and route.kind != "sandbox"]
        if real:
            return sorted(real, key=attrgetter("priority", "provider_id"))
    return [own or Route(first, "", 0, 1, True)]


class Routes:
    """The providers of organisations as a process knows them, and whose turn it is among equals."""

    REFRESH_SECONDS = 3.0

    def __init__(self, database: Database, resting: Resting) -> None:
        self._database = database
        self._resting = resting
        self._known: dict[tuple[int, str], tuple[float, list[Route]]] = {}
        self._credit: dict[int, float] = {}

    async def providers(self, org_id: int, channel: str, first: int) -> list[Route]:
        """See `candidates`. A built-in provider, whose number is none of a row, is the only one of its channel."""
        if first <= 0:
            return [Route(first, channel, 0, 1, True)]
        known = self._known.get((org_id, channel))
        if known is None or time.monotonic() - known[0] > self.REFRESH_SECONDS:
            async with self._database.connection() as connection:
                cursor = await connection.execute(q.list_routes, {"org_id": org_id, "channel": channel})
                known = time.monotonic(), [Route(*row) for row in await cursor.fetchall()]
            self._known[org_id, channel] = known
        return candidates(known[1], first)

    def choose(self, org_id: int, among: list[Route]) -> int | None:
        """Of the best priority that has anybody awake, the one whose turn it is by weight; None: all are resting."""
        for _, equals in groupby(among, key=attrgetter("priority")):
            awake = [route for route in equals if not self._resting.wait(org_id, route.provider_id)]
            if awake:
                return self._turn(awake)
        return None

    def wait(self, org_id: int, among: list[Route]) -> float:
        """Seconds until the first of them wakes; 0 when one is awake."""
        return min(self._resting.wait(org_id, route.provider_id) for route in among)

    def forget(self, org_id: int, channel: str) -> None:
        self._known.pop((org_id, channel), None)

    def _turn(self, awake: list[Route]) -> int:
        """Smooth weighted round robin: everybody gains their weight, the richest pays for all and goes."""
        if len(awake) == 1:
            return awake[0].provider_id
        for route in awake:
            self._credit[route.provider_id] = self._credit.get(route.provider_id, 0.0) + route.weight
        chosen = max(awake, key=lambda route: self._credit[route.provider_id])
        self._credit[chosen.provider_id] -= sum(route.weight for route in awake)
        return chosen.provider_id
