"""`perigee serve`: the web processes alone, for machines where the database is elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Annotated

import uvloop
from cyclopts import Parameter

from perigee.allinone import web_parts
from perigee.cli.start import start
from perigee.db.embedded import database_url
from perigee.db.migrate import require_migrated
from perigee.http.listen import listen
from perigee.secret_key import with_secret_key
from perigee.settings import Settings
from perigee.supervise import Supervisor, stop_signals


def serve(*, fd: Annotated[int | None, Parameter(show=False)] = None) -> None:
    """Start the web processes alone.

    How many, where they listen and what they are called from outside are settings (PERIGEE_WEB_PROCESSES,
    PERIGEE_HOST, PERIGEE_PORT, PERIGEE_PUBLIC_URL). The database must be migrated before.
    """
    settings = with_secret_key(start(), create=False)
    url = database_url(settings)
    if fd is not None:  # one of several, started by a supervisor that has seen to the database
        _serve_on(settings, url, socket.socket(fileno=fd))
        return
    require_migrated(url)
    with contextlib.closing(listen(settings.host, settings.port)) as listener:
        if settings.web_processes == 1:
            _serve_on(settings, url, listener)
        else:
            asyncio.run(_supervise(settings, listener))


def _serve_on(settings: Settings, url: str, listener: socket.socket) -> None:
    from perigee.http.serve import serve as serve_here

    uvloop.run(serve_here(settings, url, listener))


async def _supervise(settings: Settings, listener: socket.socket) -> None:
    supervisor = Supervisor(web_parts(settings, listener, settings.as_environment()))
    work = asyncio.create_task(supervisor.run())

    def stop() -> None:
        if work.cancelling():
            supervisor.kill()
        work.cancel()

    with stop_signals(stop), contextlib.suppress(asyncio.CancelledError):
        await work
