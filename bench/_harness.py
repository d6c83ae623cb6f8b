"""What the benchmarks of HTTP methods share: a fresh durable database, a web process, and a lean client.

A benchmark file is started twice: by hand, and by itself with `--serve` as the web process. Figures are printed one
a line and written to `bench/results/<name>.json`.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import http.client
import json
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, cast

import uvloop

from perigee.accounts.bootstrap import create_organisation
from perigee.db.embedded import EmbeddedServer
from perigee.db.migrate import migrate
from perigee.db.pool import Database
from perigee.http import routes
from perigee.http.operation import Operation
from perigee.http.serve import serve
from perigee.keys import Keys
from perigee.settings import Settings

RESULTS = Path(__file__).parent / "results"
SECRET = "a secret of the benchmarks"
SETTINGS = Settings(
    home=Path("/nonexistent"),
    secret_key=SECRET,
    # The limits on calls are far below what is measured here.
    **cast(Any, {option.name: 0 for option in fields(Settings) if option.name.startswith("rate_")}),
)


@contextlib.contextmanager
def database() -> Iterator[str]:
    """Url of a migrated database on disk, with the settings of production; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="perigee-bench-", dir="/var/tmp"))
    folder.chmod(0o755)
    server = EmbeddedServer(folder)
    try:
        url = server.start()
        migrate(url)
        yield url
    finally:
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)


def organisation(url: str) -> tuple[int, str]:
    """(org_id, a full-access key)."""

    async def make() -> tuple[int, str]:
        async with Database(url) as db, db.transaction() as conn:
            return await create_organisation(conn, Keys.of(SECRET), name="Bench", owner="owner@example.com")

    return asyncio.run(make())


def serve_here(extra: Sequence[Operation], **settings: Any) -> None:
    """The web process: all methods, and those of the benchmark. Called under `--serve`."""
    url, fd = sys.argv[2:4]
    declared = routes.operations
    routes.operations = lambda: [*declared(), *extra]  # the bound is served beside what it bounds
    uvloop.run(serve(replace(SETTINGS, **settings), url, socket.socket(fileno=int(fd))))


@contextlib.contextmanager
def web(script: str, url: str) -> Iterator[int]:
    """Port of a web process of this benchmark file."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        port = listener.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, script, "--serve", url, str(listener.fileno())],
            pass_fds=[listener.fileno()],
            stdin=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    try:
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def request(method: str, path: str, key: str, body: bytes) -> bytes:
    """The bytes of one request."""
    credentials = base64.b64encode(b"any:" + key.encode()).decode()
    return (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {credentials}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


class _Client(asyncio.Protocol):
    """One kept connection: sends the next request when the answer to the last has come."""

    def __init__(
        self, following: Callable[[], bytes | None], done: asyncio.Future[None], status: bytes
    ) -> None:
        self._following = following
        self._expected = b"HTTP/1.1 " + status
        self._done = done
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._send()

    def _send(self) -> None:
        following = self._following()
        if following is None:
            self._transport.close()
            if not self._done.done():
                self._done.set_result(None)
        else:
            self._transport.write(following)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        if len(body) < length:
            return
        if not head.startswith(self._expected):
            self._done.set_exception(RuntimeError(self._buffer.decode(errors="replace")[:500]))
            self._transport.close()
            return
        self._buffer = b""
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(exc or RuntimeError("the server closed the connection"))


def rate(port: int, requests: Sequence[bytes], *, clients: int = 32, status: int = 200) -> float:
    """Answers per second; raises when one is of another status."""

    async def run() -> float:
        left = iter(requests)
        loop = asyncio.get_running_loop()
        finished: list[asyncio.Future[None]] = [loop.create_future() for _ in range(clients)]
        started = time.perf_counter()
        for done in finished:
            client = functools.partial(_Client, lambda: next(left, None), done, b"%d" % status)
            await loop.create_connection(client, "127.0.0.1", port)
        await asyncio.gather(*finished)
        return len(requests) / (time.perf_counter() - started)

    return uvloop.run(run())


class Wire:
    """One kept connection, for calls that are timed one by one."""

    def __init__(self, port: int, key: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port)
        self.headers = {"Authorization": "Basic " + base64.b64encode(f"any:{key}".encode()).decode()}

    def get(self, path: str, rows: int | None = None) -> Any:
        """Raises when the answer is not 200 with so many rows."""
        self.connection.request("GET", path, headers=self.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        found = json.loads(body) if answer.status == 200 else None
        if found is None or (rows is not None and len(found) != rows):
            raise RuntimeError(f"{path}: {answer.status} {body[:300]!r}")
        return found


def timed(calls: int, call: Callable[[int], object]) -> list[float]:
    """Milliseconds of each."""
    found = []
    for number in range(calls):
        started = time.perf_counter()
        call(number)
        found.append((time.perf_counter() - started) * 1000)
    return found


def report(name: str, figures: dict[str, float], *, bound: str, reach: float) -> None:
    """Prints and writes the figures; `figures` has "value" and "bound" of one kind, per second."""
    ratio = figures["value"] / figures["bound"]
    print(
        f"{name}: {figures['value']:,.0f}/s, bound {figures['bound']:,.0f}/s ({bound}), ratio {ratio:.2f}, reach {reach}"
    )
    RESULTS.mkdir(exist_ok=True)
    result = {
        "name": name,
        **figures,
        "ratio": ratio,
        "reach": reach,
        "bound_is": bound,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")


def report_times(name: str, figures: dict[str, list[float]]) -> None:
    """Prints and writes milliseconds: median and worst of each line. The first line is the bound."""
    for line, values in figures.items():
        print(f"{line}: {median(values):.1f} ms, worst {max(values):.1f} ms")
    RESULTS.mkdir(exist_ok=True)
    result = {
        "name": name,
        "milliseconds": {
            line: {"median": median(values), "worst": max(values)} for line, values in figures.items()
        },
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")


def median(values: Sequence[float]) -> float:
    return statistics.median(values)
