"""What channels to one HTTP endpoint share: each message is a guarded request of its own, so many at once."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from typing import ClassVar

import structlog

from perigee.delivery.channel import DeliveryError, Outgoing, Receipt, StreamChannel
from perigee.errors import Invalid
from perigee.lib.outside import Limits, Outside, Rules, Unreachable

log = structlog.get_logger()


class RequestChannel(StreamChannel):
    """Subclasses say how one message is sent, and what it is when that raised."""

    limits: ClassVar[Limits]
    """Of a request; all tries of a message stay within a lease."""
    broken: ClassVar[Receipt]
    """Of a message of which nobody knows how far it came."""

    def __init__(self, rules: Rules, connections: int) -> None:
        """`rules`: where requests may lead; `connections`: messages on their way at once."""
        self._rules = rules
        self._room = asyncio.Semaphore(connections)
        self._outside: Outside | None = None
        self._opening = asyncio.Lock()
        self._running: set[asyncio.Task[Receipt]] = set()

    @abstractmethod
    async def deliver(self, outside: Outside, outgoing: Outgoing) -> Receipt:
        """One message. What it raises is logged, and the message is `broken`."""

    def submit(self, outgoing: Outgoing) -> asyncio.Future[Receipt]:
        task = asyncio.create_task(self._deliver(outgoing))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def reach(self, link: str) -> None:
        """Whether anybody is there, whatever they answer. Raises DeliveryError."""
        try:
            async with (await self._open()).request("HEAD", link, limits=self.limits, field="url"):
                pass
        except Invalid as error:
            raise DeliveryError(error.message, permanent=not isinstance(error, Unreachable)) from None

    async def close(self) -> None:
        while self._running:
            await asyncio.wait(self._running)
        if self._outside is not None:
            await self._outside.__aexit__()
            self._outside = None

    async def _open(self) -> Outside:
        async with self._opening:
            if self._outside is None:
                self._outside = await Outside(self._rules).__aenter__()
            return self._outside

    async def _deliver(self, outgoing: Outgoing) -> Receipt:
        try:
            outside = await self._open()
            async with self._room:
                return await self.deliver(outside, outgoing)
        except Exception:
            log.exception(
                "a request failed", channel=self.medium, send_id=outgoing.send_id, ordinal=outgoing.ordinal
            )
            return self.broken
