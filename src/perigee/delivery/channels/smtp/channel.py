"""Email through an SMTP relay, as a channel."""

from __future__ import annotations

import asyncio
import ssl
from typing import ClassVar

import msgspec

from perigee.delivery.channel import Medium, Outgoing, Receipt, StreamChannel
from perigee.delivery.channels.smtp.pool import Backoff, SmtpPool
from perigee.delivery.channels.smtp.settings import SmtpSettings, Timeouts


class SmtpChannel(StreamChannel):
    """`payload` is a complete RFC 5322 message, signed last; this channel only ends its lines and doubles its dots."""

    medium: ClassVar[Medium] = Medium.EMAIL
    Settings: ClassVar[type[msgspec.Struct]] = SmtpSettings

    def __init__(
        self,
        settings: SmtpSettings,
        *,
        timeouts: Timeouts | None = None,
        backoff: Backoff | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.pool = SmtpPool(settings, timeouts=timeouts, backoff=backoff, context=context)

    def submit(self, outgoing: Outgoing) -> asyncio.Future[Receipt]:
        return self.pool.submit(outgoing)

    async def check(self) -> None:
        await self.pool.check()

    async def close(self, grace: float = 30.0) -> None:
        await self.pool.close(grace)
