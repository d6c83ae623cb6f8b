"""The sender: takes batches in two lanes and works them (`batch.py`).

No more than `window_size` messages of a process have an intent without an outcome: those are what a crash leaves
*uncertain*. A part of that room is kept for single messages, which have their own turn at the batches too, so that
they never wait behind a campaign.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections import deque
from collections.abc import Sequence

import structlog
from psycopg import errors as pg

from perigee.db.pool import Database
from perigee.delivery import consequences, lease
from perigee.delivery.batch import BatchRunner, Carrier
from perigee.delivery.lease import Lane
from perigee.delivery.pacing import Pacing
from perigee.delivery.providers import Channels
from perigee.delivery.routes import Resting, Route, Routes
from perigee.delivery.sends import Send, Sends
from perigee.settings import Settings

log = structlog.get_logger()

AT_ONCE = {Lane.SINGLE: 4, Lane.CAMPAIGN: 2}
"""Batches of a lane in work: of campaigns one drains while the next begins; single messages are a batch each."""
IDLE_SECONDS = {Lane.SINGLE: 0.1, Lane.CAMPAIGN: 0.5}
"""So often a lane without work is looked at."""
KEPT = 16
"""One in so many places of the window is kept for single messages."""


class Sender:
    """One sending process. `run` until `stop`; several processes share the work through leases."""

    def __init__(self, settings: Settings, database: Database, sends: Sends, channels: Channels) -> None:
        self.settings = settings
        self.database = database
        self.sends = sends
        self.channels = channels
        self.owner = uuid.uuid4()
        self.resting = Resting()
        self.routes = Routes(database, self.resting)
        self.pacing = Pacing(database, settings.destination_rates)
        self._stalled: dict[tuple[int, str], float] = {}
        self._served: deque[int] = deque(maxlen=100)
        self.free = settings.window_size
        self.runners: set[BatchRunner] = set()
        self.stop = asyncio.Event()

    async def run(self, *, idle_seconds: float | None = None) -> None:
        """Works until `stop`. `idle_seconds`: how often a lane without work is looked at; see `IDLE_SECONDS`."""
        await asyncio.gather(
            *[
                self._serve(lane, IDLE_SECONDS[lane] if idle_seconds is None else idle_seconds)
                for lane in Lane
            ]
        )

    async def _serve(self, lane: Lane, idle_seconds: float) -> None:
        """Claims batches of a lane as long as there are any."""
        running: set[asyncio.Task[None]] = set()
        while not self.stop.is_set():
            runner = await self._claim(lane) if len(running) < AT_ONCE[lane] else None
            if runner is not None:
                task = asyncio.create_task(runner.run())
                running.add(task)
                self.runners.add(runner)
                task.add_done_callback(running.discard)
                waiting = [asyncio.create_task(runner.all_begun.wait()), task]
                await self._any(waiting)
                waiting[0].cancel()
            elif running:
                await asyncio.wait(running, timeout=idle_seconds, return_when=asyncio.FIRST_COMPLETED)
            else:
                await self._any([asyncio.create_task(self.stop.wait())], seconds=idle_seconds)
        for runner in self.runners:
            runner.wake.set()
        if running:
            await asyncio.wait(running)

    def free_for(self, lane: int) -> int:
        """Places of the window that a batch of this lane may take."""
        return self.free if lane == Lane.SINGLE else self.free - self.settings.window_size // KEPT

    def release_room(self, messages: int) -> None:
        """Room in the window became free: whoever has messages to begin may take it."""
        if messages:
            self.free += messages
            for runner in self.runners:
                if not runner.all_begun.is_set():
                    runner.wake.set()

    async def _any(self, tasks: Sequence[asyncio.Task[object]], seconds: float | None = None) -> None:
        stop = asyncio.create_task(self.stop.wait())
        await asyncio.wait([*tasks, stop], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()

    async def _claim(self, lane: Lane) -> BatchRunner | None:
        """The next batch, or None; also while the database is away, which is waited out."""
        try:
            return await self._claim_due(lane)
        except pg.OperationalError as error:
            log.warning("no batch can be claimed", error=str(error).split("\n")[0])
            return None

    async def _claim_due(self, lane: Lane) -> BatchRunner | None:
        asked_at = time.monotonic()
        found = await lease.claim(
            self.database,
            self.owner,
            self.settings.lease_seconds,
            lane,
            stalled=self._now_stalled(),
            served=self._served,
        )
        if found is None:
            return None
        if lane is Lane.SINGLE:
            self._note_served(found.org_id)
        try:
            send = await self.sends.get(found.org_id, found.send_id)
            among = await self.routes.providers(found.org_id, send.channel, send.provider_id)
            provider_id = self.routes.choose(found.org_id, among)
            if provider_id is None:
                await lease.release(self.database, found, wait=self._stall(send, among))
                return None
            channel = await self.channels.get(found.org_id, provider_id)
        except pg.OperationalError:
            raise  # the database's trouble, not the send's: whoever claims the batch next tries again
        except Exception as error:
            # A message that cannot be compiled or a provider that cannot be opened stops its own send only.
            log.exception("send cannot start", send_id=found.send_id)
            await consequences.pause_send(self.database, found.org_id, found.send_id, str(error)[:300])
            await lease.release(self.database, found)
            return None
        return BatchRunner(self, found, send, Carrier(provider_id, channel, len(among) > 1), asked_at)

    async def provider_wait(self, send: Send) -> float:
        """Seconds until a provider can take more of this send; 0 when one can now."""
        among = await self.routes.providers(send.org_id, send.channel, send.provider_id)
        return self._stall(send, among)

    def _stall(self, send: Send, among: list[Route]) -> float:
        """The same; nothing of the organisation's channel is claimed until then."""
        wait = self.routes.wait(send.org_id, among)
        if wait:
            self._stalled[send.org_id, send.channel] = time.monotonic() + wait
        return wait

    def _now_stalled(self) -> list[tuple[int, str]]:
        moment = time.monotonic()
        self._stalled = {key: until for key, until in self._stalled.items() if until > moment}
        return list(self._stalled)

    def _note_served(self, org_id: int) -> None:
        with contextlib.suppress(ValueError):
            self._served.remove(org_id)
        self._served.append(org_id)
