"""pytest fixtures: a file server on this host, and settings under which links may lead to it."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from perigee.settings import Settings
from perigee.testing.api import SETTINGS
from perigee.testing.outside import web_server


class Files:
    """What the server hands out, by path; `asked` are the requests it got."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self.status = 200
        self.asked: list[web.Request] = []
        self.port = 0

    def link(self, body: str | bytes, path: str = "/file", user: str = "") -> str:
        """Puts a file there; `user` may be `name:password@`."""
        self.bodies[path] = body.encode() if isinstance(body, str) else body
        return f"http://{user}127.0.0.1:{self.port}{path}"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        return web.Response(body=self.bodies.get(request.path, b""), status=self.status)


@pytest.fixture
async def files() -> AsyncIterator[Files]:
    files = Files()
    async with web_server(files.serve) as files.port:
        yield files


@pytest.fixture
def settings() -> Settings:
    return dataclasses.replace(SETTINGS, outside_networks="127.0.0.0/8", outside_ports="any")
