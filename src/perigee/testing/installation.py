"""A whole Perigee in processes of its own, for stories that need the real thing and its deaths."""

from __future__ import annotations

import base64
import http.client
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from perigee.testing.ports import free_port

PATIENCE = 60  # seconds after which something that should have happened did not


class Up:
    """A `perigee up` on `home`; `settings` are environment variables. Its log is JSON lines on a file."""

    def __init__(self, home: Path, *, command: str = "up", **settings: str) -> None:
        self.home = home
        self.port = int(settings.get("PERIGEE_PORT") or free_port())
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PERIGEE_")}
        self._log = tempfile.NamedTemporaryFile("w", suffix=".log")  # noqa: SIM115 - closed by `close`
        self.process = subprocess.Popen(
            [sys.executable, "-m", "perigee", command],
            env={**kept, "PERIGEE_HOME": str(home), "PERIGEE_PORT": str(self.port), **settings},
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self.shown = ""

    def until_ready(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.shown += line
            if "is ready at" in line:
                return
        pytest.fail(f"up ended before it was ready:\n{self.shown}\n{self.log()}")

    def ended(self) -> int:
        """Waits for the end; the exit code."""
        assert self.process.stdout is not None
        self.shown += self.process.stdout.read()
        return self.process.wait(PATIENCE)

    def log(self) -> str:
        return Path(self._log.name).read_text()

    def part(self, name: str) -> int | None:
        """Process id of the first child that runs `perigee NAME` (`serve`, `worker`)."""
        for child in psutil.Process(self.process.pid).children():
            with suppress(psutil.NoSuchProcess):  # died while we look
                if name in child.cmdline()[3:4]:
                    return child.pid
        return None

    def get(self, path: str, key: str | None = None) -> int:
        """The status of a request, 0 while nobody answers."""
        headers = (
            {"Authorization": "Basic " + base64.b64encode(f"any:{key}".encode()).decode()} if key else {}
        )
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers=headers)
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log.close()


@contextmanager
def up(home: Path, *, command: str = "up", **settings: str) -> Iterator[Up]:
    """`command` may be `serve` or `worker`, for a part alone."""
    running = Up(home, command=command, **settings)
    try:
        yield running
    finally:
        running.close()


def until(true: Callable[[], object]) -> None:
    """Looks until it is true."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether the process runs; one that ended and was not fetched by its parent does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
