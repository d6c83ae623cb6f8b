"""A gateway on loopback, and a channel to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from aiohttp import web

from perigee.delivery.channel import Outgoing
from perigee.delivery.channels.http_gateway.channel import GatewayChannel
from perigee.delivery.channels.http_gateway.gateway import Gateway, preset
from perigee.delivery.channels.http_gateway.settings import GatewaySettings
from perigee.lib.outside import Rules
from perigee.testing.outside import web_server

RULES = Rules.of("127.0.0.0/8", "any")
CALLBACK = "https://perigee.example.com/hooks/provider/token"


@dataclass
class Call:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Stand:
    """Answers with what stands in `answers`, the last one again and again; an exception closes the connection."""

    answers: list[Any] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    port: int = 0

    async def handle(self, request: Any) -> web.StreamResponse:
        self.calls.append(Call(request.method, request.path_qs, dict(request.headers), await request.read()))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer):
            answer = answer(self.calls[-1])
        if answer is None:
            request.transport.close()
            return web.Response()
        status, body, headers = (*answer, {})[:3]
        return web.Response(
            status=status,
            body=msgspec.json.encode(body),
            content_type="application/json",
            headers=headers,
        )


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    one = Stand()
    async with web_server(one.handle) as port:
        one.port = port
        yield one


def moved(name: str, medium: str, port: int) -> Gateway:
    """A preset whose server is the stand-in: nothing else of it is changed."""
    gateway = preset(name)[medium]
    path = gateway.url.removeprefix("https://").removeprefix("{server}/").partition("/")
    rest = gateway.url.removeprefix("{server}") if gateway.url.startswith("{") else "/" + path[2]
    return msgspec.structs.replace(gateway, url=f"http://127.0.0.1:{port}{rest}")


@asynccontextmanager
async def opened(
    gateway: Gateway, medium: str = "sms", *, rules: Rules = RULES, **settings: Any
) -> AsyncIterator[GatewayChannel]:
    made = GatewaySettings(gateway=gateway, **settings)
    channel = GatewayChannel(made, medium=medium, rules=rules, callback=CALLBACK)
    try:
        yield channel
    finally:
        await channel.close()


def outgoing(
    payload: str = "Hi Anna & {all}", *, allow: Callable[[], bool] | None = None, iid: str = "iid-1"
) -> Outgoing:
    return Outgoing(1, 2, 3, 4, "380501234567", iid, "Shop", payload.encode(), allow)
