"""Webhook: each message is a POST to the organisation's endpoint, signed, under an id that never changes.

A message whose answer was lost is not uncertain: it is sent again under the same id, by which the endpoint knows it
(reliability 11).
"""

from __future__ import annotations

import time
from typing import Final

from perigee.delivery.channel import (
    LEASE_LOST,
    STALE,
    Medium,
    Outcome,
    Outgoing,
    Reason,
    Receipt,
)
from perigee.delivery.channels.webhook.answers import read_answer
from perigee.delivery.channels.webhook.settings import WebhookSettings
from perigee.delivery.channels.webhook.signing import read_secret, signed
from perigee.delivery.request_channel import RequestChannel
from perigee.errors import Invalid
from perigee.lib.outside import Limits, NoAnswer, Outside, Rules, Unreachable

LIMITS: Final = Limits(size=262_144, total=15.0, idle=10.0)
"""A try stays within a lease."""

NO_ANSWER: Final = Receipt(Outcome.DEFERRED, Reason.DESTINATION_BUSY, "the endpoint gave no answer")
UNREACHABLE: Final = Receipt(
    Outcome.DEFERRED, Reason.PROVIDER_UNREACHABLE, "the endpoint cannot be reached", counted=False
)


class WebhookChannel(RequestChannel):
    medium = Medium.WEBHOOK
    Settings = WebhookSettings
    limits = LIMITS
    broken = NO_ANSWER

    def __init__(self, settings: WebhookSettings, *, rules: Rules) -> None:
        self._settings = settings
        self._key = read_secret(settings.secret)
        super().__init__(rules, settings.connections)

    async def check(self) -> None:
        await self.reach(self._settings.url)

    async def deliver(self, outside: Outside, outgoing: Outgoing) -> Receipt:
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
