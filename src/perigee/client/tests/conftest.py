"""A server of the test's own: it answers what the test put in line, and keeps what it was asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from perigee.client.transport import Patience

QUICK = Patience(tries=3, first_pause=0.001, longest_pause=1, timeout=5)


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    authorization: str
    idempotency_key: str
    body: bytes


@dataclass
class Script:
    """`answers` go out in order; the last one stays. An exception instead of an answer cuts the connection."""

    url: str = ""
    answers: list[web.Response | None] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    def answer(self, body: Any = None, status: int = 200, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if isinstance(body, bytes) else web.json_response(body).body
        self.answers.append(web.Response(body=content, status=status, headers=named))

    def cut(self) -> None:
        self.answers.append(None)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(
            Asked(
                request.method,
                request.path,
                dict(request.query),
                request.headers.get("Authorization", ""),
                request.headers.get("Idempotency-Key", ""),
                await request.read(),
            )
        )
        answer = self.answers.pop(0)
        if answer is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return answer


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    script = Script()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", script.handle)
    server = TestServer(app)
    await server.start_server()
    script.url = str(server.make_url("")).rstrip("/")
    try:
        yield script
    finally:
        await server.close()
