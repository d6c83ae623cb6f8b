"""An endpoint on loopback, and a channel to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from perigee.delivery.channel import Outgoing
from perigee.delivery.channels.webhook.channel import WebhookChannel
from perigee.delivery.channels.webhook.settings import WebhookSettings
from perigee.lib.outside import Rules
from perigee.testing.outside import web_server

RULES = Rules.of("127.0.0.0/8", "any")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class Call:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Endpoint:
    """Answers with what stands in `answers` (status, body, headers), the last one again and again; None closes the
    connection after the request."""

    answers: list[Any] = field(default_factory=lambda: [(204, "", {})])
    calls: list[Call] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/take?from=perigee"

    async def handle(self, request: Any) -> web.StreamResponse:
        self.calls.append(Call(request.method, request.path_qs, dict(request.headers), await request.read()))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            request.transport.close()
            return web.Response()
        status, body, headers = answer
        return web.Response(status=status, text=body, headers=headers)


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    one = Endpoint()
    async with web_server(one.handle) as port:
        one.port = port
        yield one


@asynccontextmanager
async def opened(url: str, *, rules: Rules = RULES, **settings: Any) -> AsyncIterator[WebhookChannel]:
    channel = WebhookChannel(WebhookSettings(url=url, secret=SECRET, **settings), rules=rules)
    try:
        yield channel
    finally:
        await channel.close()


def outgoing(
    payload: str = '{"name":"Анна"}',
    *,
    allow: Callable[[], bool] | None = None,
    fresh_until: float = float("inf"),
) -> Outgoing:
    return Outgoing(1, 2, 3, 4, "4", "0b6f1c1e-iid", "", payload.encode(), allow, fresh_until)
