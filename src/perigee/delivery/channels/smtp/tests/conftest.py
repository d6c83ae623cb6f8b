"""What the tests of this channel share: a server, channels to it, messages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from perigee.delivery.channels.smtp.channel import SmtpChannel
from perigee.delivery.channels.smtp.pool import Backoff
from perigee.delivery.channels.smtp.settings import Security, SmtpSettings, Timeouts
from perigee.testing.smtp_fixtures import smtp_server, start_smtp_server
from perigee.testing.smtp_server import SmtpServer

__all__ = ["smtp_server", "start_smtp_server"]

OpenChannel = Callable[..., SmtpChannel]


@pytest.fixture
async def open_channel() -> AsyncIterator[OpenChannel]:
    """Opens channels to a server, with any settings; closes them at the end."""
    channels: list[SmtpChannel] = []

    def open_(
        server: SmtpServer,
        *,
        timeouts: Timeouts | None = None,
        backoff: Backoff | None = None,
        context: Any = None,
        **settings: Any,
    ) -> SmtpChannel:
        values = {
            "host": "127.0.0.1",
            "port": server.port,
            "security": Security.NONE,
            "helo": "test",
            **settings,
        }
        channel = SmtpChannel(SmtpSettings(**values), timeouts=timeouts, backoff=backoff, context=context)
        channels.append(channel)
        return channel

    yield open_
    for channel in channels:
        await channel.close(grace=5)
