"""Webhook: each message is a POST to the organisation's endpoint, signed, under an id that never changes.

A message whose answer was lost is not uncertain: it is sent again under the same id, by which the endpoint knows it
(reliability 11).
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

import structlog

from perigee.delivery.channel import (
    DeliveryError,
    Medium,
    Outcome,
    Outgoing,
    Reason,
    Receipt,
    StreamChannel,
)
from perigee.delivery.channels.webhook.answers import read_answer
from perigee.delivery.channels.webhook.settings import WebhookSettings
from perigee.delivery.channels.webhook.signing import read_secret, signed
from perigee.errors import Invalid
from perigee.lib.outside import Limits, NoAnswer, Outside, Rules, Unreachable

log = structlog.get_logger()

LIMITS: Final = Limits(size=262_144, total=15.0, idle=10.0)
"""A try stays within a lease."""

STALE: Final = Receipt(Outcome.DEFERRED, Reason.STALE, "waited too long to be begun", counted=False)
LEASE_LOST: Final = Receipt(Outcome.DEFERRED, Reason.LEASE_LOST, "the right to send ran out", counted=False)
NO_ANSWER: Final = Receipt(Outcome.DEFERRED, Reason.DESTINATION_BUSY, "the endpoint gave no answer")
UNREACHABLE: Final = Receipt(
    Outcome.DEFERRED, Reason.PROVIDER_UNREACHABLE, "the endpoint cannot be reached", counted=False
)


class WebhookChannel(StreamChannel):
    medium = Medium.WEBHOOK
    Settings = WebhookSettings

    def __init__(self, settings: WebhookSettings, *, rules: Rules) -> None:
        self._settings = settings
        self._key = read_secret(settings.secret)
        self._rules = rules
        self._room = asyncio.Semaphore(settings.connections)
        self._outside: Outside | None = None
        self._opening = asyncio.Lock()
        self._running: set[asyncio.Task[Receipt]] = set()

    def submit(self, outgoing: Outgoing) -> asyncio.Future[Receipt]:
        task = asyncio.create_task(self._deliver(outgoing))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def check(self) -> None:
        """Whether anybody is at the address; what it answers does not matter."""
        try:
            async with (await self._open()).request("HEAD", self._settings.url, limits=LIMITS, field="url"):
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
                return await self._send(outside, outgoing)
        except Exception:
            log.exception("webhook failed", send_id=outgoing.send_id, ordinal=outgoing.ordinal)
            return NO_ANSWER

    async def _send(self, outside: Outside, outgoing: Outgoing) -> Receipt:
        if outgoing.allow_send is not None and not outgoing.allow_send():
            return LEASE_LOST
        if time.monotonic() > outgoing.fresh_until:
            return STALE
        headers = {
            **self._settings.headers,
            "Content-Type": "application/json",
            **signed(self._key, outgoing.iid, int(time.time()), outgoing.payload),
        }
        status = 0
        try:
            async with outside.request(
                "POST", self._settings.url, limits=LIMITS, field="url", headers=headers, body=outgoing.payload
            ) as reply:
                status = reply.status
                return read_answer(status, reply.headers, await reply.read())
        except NoAnswer:
            return read_answer(status, {}, b"") if status else NO_ANSWER
        except Unreachable:
            return UNREACHABLE
        except Invalid as error:
            if status:  # only its words were too many
                return read_answer(status, {}, b"")
            return Receipt(Outcome.DEFERRED, Reason.PROVIDER_REFUSED, error.message[:500], counted=False)
