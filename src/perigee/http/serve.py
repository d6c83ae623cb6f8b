"""One web process: uvicorn on a socket that was opened before."""

from __future__ import annotations

import socket

import uvicorn

from perigee.http.app import create_app
from perigee.lib import garbage
from perigee.settings import Settings
from perigee.supervise import when_orphaned

_GRACE = 20
"""Seconds that answers in progress may take after the stop signal."""


async def serve(settings: Settings, database_url: str, listener: socket.socket) -> None:
    """Serves until SIGTERM, Ctrl-C or the end of our supervisor; running requests are answered first."""
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings, database_url),
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # the application reads them (http/client_address.py)
            timeout_keep_alive=75,  # longer than the 60 s for which proxies keep idle connections
            timeout_graceful_shutdown=_GRACE,
        )
    )

    def stop() -> None:
        server.should_exit = True

    when_orphaned(stop)
    garbage.calm()
    await server.serve(sockets=[listener])
