"""pytest plugin: the web application behind a real socket, for clients that bring their own HTTP."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn

from perigee.http.app import create_app
from perigee.settings import Settings
from perigee.testing.api import Api


@contextmanager
def live(settings: Settings, database_url: str, *, public: bool = False) -> Iterator[str]:
    """`http://127.0.0.1:PORT` of a server in a thread of its own. `public`: that is its `public_url` too."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
        )  # asyncio sets it only where proto is named
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        if public:
            settings = dataclasses.replace(settings, public_url=address)
        config = uvicorn.Config(
            create_app(settings, database_url), http="httptools", ws="none", lifespan="on", log_config=None
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
        thread.start()
        try:
            yield address
        finally:
            server.should_exit = True
            thread.join(10)


@pytest.fixture
def host(api: Api, settings: Settings, database_url: str) -> Iterator[str]:
    """Where the application of the fixture `api` answers over a real socket; the same organisation and key."""
    with live(settings, database_url) as address:
        yield address
