"""Everything on one machine, as `perigee up` and the demo run it: database, web processes, workers.

The order of the start is the order in which something can be wrong: a second `up` on the same home, the port,
the database, its schema. Whatever ends it, parts end first and the database last.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
from collections.abc import AsyncIterator, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from perigee.accounts.bootstrap import FirstStart, ensure_first_organisation
from perigee.db.embedded import EmbeddedServer
from perigee.db.migrate import server_version
from perigee.db.pool import Database
from perigee.db.prepare import prepare
from perigee.errors import OperatorError
from perigee.home import alone
from perigee.http.listen import listen
from perigee.retention.rules import months_made
from perigee.secret_key import with_secret_key
from perigee.settings import Settings
from perigee.supervise import Part, Supervisor, python_part, stop_signals

log = structlog.get_logger()

_DATABASE_LOOK = 0.5
"""Seconds between two looks at whether the embedded server lives."""


_ORPHANS_END = 10
"""Seconds that web processes of a killed `up` may hold the port."""

T = TypeVar("T")


class Stopped(Exception):
    """Ctrl-C or SIGTERM arrived before the work was done."""


@dataclass(frozen=True)
class Running:
    """What runs. `url` is where the web process answers on this machine."""

    settings: Settings
    url: str
    database_url: str
    first_start: FirstStart | None
    supervisor: Supervisor
    embedded: EmbeddedServer | None
    _ended: asyncio.Future[None]

    async def wait(self) -> None:
        """Returns when somebody stops us; raises `OperatorError` when a part does not stay alive."""
        await asyncio.shield(self._ended)

    async def during(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`, done while everything runs. Raises `Stopped` if somebody stops us before, and
        what `wait` raises."""
        task = asyncio.create_task(work)
        try:
            first: set[asyncio.Future[Any]] = {task, self._ended}
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                _unless(self._ended)
            return await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Running]:
    """Starts everything and yields when the web process answers; stops everything at the end of the block.

    Raises `OperatorError` with one line of what is wrong, `Stopped` for a signal during the start. A signal
    later ends `Running.wait`; a second one kills the parts without waiting for them.
    """
    async with contextlib.AsyncExitStack() as stack:
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        supervisors: list[Supervisor] = []
        stack.enter_context(stop_signals(lambda: _stop(ended, supervisors)))
        killed_before = stack.enter_context(alone(settings.home))
        settings = with_secret_key(settings, create=True)
        listener = await asyncio.to_thread(
            listen, settings.host, settings.port, patience=_ORPHANS_END if killed_before else 0
        )
        stack.callback(listener.close)
        embedded, database_url = await _database(settings, stack)
        _unless(ended)
        await prepare(database_url, months_made(settings))
        first_start = await _first_organisation(settings, database_url)
        _unless(ended)
        supervisor = Supervisor(_parts(settings, database_url, listener, embedded=embedded is not None))
        supervisors.append(supervisor)
        await stack.enter_async_context(_task(supervisor.run(), ended))
        if embedded is not None:
            await stack.enter_async_context(_task(_keep_database(embedded), ended))
        url = _own_url(listener)
        await _until_answering(url, ended)
        yield Running(settings, url, database_url, first_start, supervisor, embedded, ended)


def _parts(settings: Settings, database_url: str, listener: socket.socket, *, embedded: bool) -> list[Part]:
    metrics = settings.home / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir(mode=0o700)
    environment = {**settings.as_environment(), "PROMETHEUS_MULTIPROC_DIR": str(metrics)}
    if embedded:
        environment["PERIGEE_DATABASE_URL"] = database_url
    workers = settings.workers or min(8, os.cpu_count() or 1)
    return [
        *web_parts(settings, listener, environment),
        *(python_part(f"worker-{n}", "worker", environment=environment) for n in range(1, workers + 1)),
    ]


def web_parts(settings: Settings, listener: socket.socket, environment: Mapping[str, str]) -> list[Part]:
    """The web processes, which share one socket."""
    descriptor = listener.fileno()
    return [
        python_part(
            f"web-{n}", "serve", "--fd", str(descriptor), environment=environment, pass_fds=[descriptor]
        )
        for n in range(1, settings.web_processes + 1)
    ]


async def _database(
    settings: Settings, stack: contextlib.AsyncExitStack
) -> tuple[EmbeddedServer | None, str]:
    if settings.database_url:
        await asyncio.to_thread(server_version, settings.database_url)
        return None, settings.database_url
    server = EmbeddedServer(settings.home)
    stack.push_async_callback(asyncio.to_thread, server.stop)
    return server, await asyncio.to_thread(server.start)


async def _keep_database(server: EmbeddedServer) -> None:
    pause = _DATABASE_LOOK
    while True:
        await asyncio.sleep(pause)
        if await asyncio.to_thread(server.is_running):
            continue
        log.warning("PostgreSQL died and is started again")
        try:
            await asyncio.to_thread(server.start)
            pause = _DATABASE_LOOK
        except OperatorError as error:
            pause = min(pause * 2, 15)
            log.error(str(error), next_try_in=pause)


async def _first_organisation(settings: Settings, database_url: str) -> FirstStart | None:
    async with Database(database_url, size=2) as database, database.transaction() as connection:
        return await ensure_first_organisation(connection, settings)


async def _until_answering(url: str, ended: asyncio.Future[None]) -> None:
    """Asks `/health` until it says 200. A part that cannot live, or a signal, ends the waiting."""
    while not await _answers(url):
        _unless(ended)
        await asyncio.sleep(0.05)


async def _answers(url: str) -> bool:
    host, _, port = url.removeprefix("http://").rpartition(":")
    try:
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
            try:
                writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                return (await reader.readline()).split()[1:2] == [b"200"]
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False


def _own_url(listener: socket.socket) -> str:
    """An address at which this machine reaches itself, also when we listen on every address."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _stop(ended: asyncio.Future[None], supervisors: list[Supervisor]) -> None:
    if not ended.done():
        ended.set_result(None)
    else:
        for supervisor in supervisors:
            supervisor.kill()


def _unless(ended: asyncio.Future[None]) -> None:
    if ended.done():
        ended.result()
        raise Stopped


@contextlib.asynccontextmanager
async def _task(work: Coroutine[Any, Any, None], ended: asyncio.Future[None]) -> AsyncIterator[None]:
    """Runs `work` beside the block; its failure ends the whole, the end of the block ends it."""
    task = asyncio.create_task(work)

    def failed(done: asyncio.Task[None]) -> None:
        if not done.cancelled() and (error := done.exception()) and not ended.done():
            ended.set_exception(error)

    task.add_done_callback(failed)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
