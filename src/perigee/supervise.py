"""Keeps child processes running: starts them, restarts one that dies, ends them all cleanly.

Children get a pipe as standard input that never carries data. It closes when we die, however we die, and a child
that watches it (`when_orphaned`) then stops by itself: nothing is left behind by a `kill -9` of the parent.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from perigee.errors import OperatorError

log = structlog.get_logger()

SUPERVISED = "PERIGEE_SUPERVISED"
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Part:
    """One child process. `environment` comes on top of ours; `pass_fds` stay open in it under their numbers."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    pass_fds: Sequence[int] = ()


@dataclass(frozen=True)
class Patience:
    """Seconds, but for `hopeless`."""

    first_pause: float = 0.2
    longest_pause: float = 15
    settled: float = 20
    """Who lived so long starts again at once and without a record."""
    hopeless: int = 6
    """So many deaths in a row, each before it was settled, of a part that never settled end the supervisor."""
    grace: float = 30
    """From the polite signal to the kill."""


class Supervisor:
    """`run` keeps all parts alive until it is cancelled."""

    def __init__(self, parts: Sequence[Part], patience: Patience | None = None) -> None:
        self.parts = parts
        self._patience = patience or Patience()
        self._processes: dict[str, asyncio.subprocess.Process] = {}

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the parts that run now."""
        return {name: process.pid for name, process in self._processes.items() if process.returncode is None}

    def kill(self) -> None:
        """Ends every part at once, for somebody who cannot wait for the clean end."""
        for process in self._processes.values():
            _signal(process, signal.SIGKILL)

    async def run(self) -> None:
        """Raises `OperatorError` when a part cannot live. Whatever ends it, all parts have ended afterwards."""
        reader, writer = os.pipe()
        try:
            async with asyncio.TaskGroup() as group:
                for part in self.parts:
                    group.create_task(self._keep(part, reader))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None  # the first cause; the others were ended because of it
        finally:
            os.close(reader)
            os.close(writer)

    async def _keep(self, part: Part, lifeline: int) -> None:
        deaths = 0
        ever_settled = False
        while True:
            started = time.monotonic()
            code = await self._live(part, lifeline)
            settled = time.monotonic() - started >= self._patience.settled
            ever_settled = ever_settled or settled
            deaths = 0 if settled else deaths + 1
            if deaths >= self._patience.hopeless and not ever_settled:
                raise OperatorError(
                    f"{part.name} does not stay alive ({_how(code)}, {deaths} times in a row)"
                )
            pause = min(self._patience.first_pause * 2 ** max(0, deaths - 1), self._patience.longest_pause)
            log.warning(f"{part.name} died and is started again", how=_how(code), pause=round(pause, 2))
            await asyncio.sleep(pause)

    async def _live(self, part: Part, lifeline: int) -> int:
        process = await asyncio.create_subprocess_exec(
            *part.command,
            stdin=lifeline,
            env={**os.environ, SUPERVISED: "1", **part.environment},
            pass_fds=part.pass_fds,
            process_group=0,  # Ctrl-C in the terminal reaches us alone; we end the parts in order
        )
        self._processes[part.name] = process
        log.debug(f"{part.name} started", pid=process.pid)
        try:
            return await process.wait()
        finally:
            if process.returncode is None:
                await self._end(part, process)

    async def _end(self, part: Part, process: asyncio.subprocess.Process) -> None:
        _signal(process, signal.SIGTERM)
        # Not asyncio.timeout: inside a cancelled task it misses its own deadline before Python 3.11.3.
        ended = asyncio.ensure_future(process.wait())
        await asyncio.wait([ended], timeout=self._patience.grace)
        if not ended.done():
            log.warning(f"{part.name} did not end in time and is killed", seconds=self._patience.grace)
            _signal(process, signal.SIGKILL)
        await ended


def python_part(
    name: str, *arguments: str, environment: Mapping[str, str], pass_fds: Sequence[int] = ()
) -> Part:
    """A part that is a `perigee` command of this installation."""
    command = [sys.executable, "-m", "perigee", *arguments]
    return Part(name, command, {**environment, "PERIGEE_PART": name}, pass_fds)


def when_orphaned(act: Callable[[], None]) -> None:
    """In a child: calls `act` once, on the running loop, when the supervisor is gone. Elsewhere does nothing."""
    if os.environ.get(SUPERVISED) != "1":
        return
    loop = asyncio.get_running_loop()

    def closed() -> None:
        loop.remove_reader(0)
        act()

    loop.add_reader(0, closed)


@contextlib.contextmanager
def stop_signals(act: Callable[[], None]) -> Iterator[None]:
    """Calls `act` on the running loop for each Ctrl-C, SIGTERM or closed terminal while the block runs."""
    loop = asyncio.get_running_loop()
    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, act)
    try:
        yield
    finally:
        for number in _STOP_SIGNALS:
            loop.remove_signal_handler(number)


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)


def _how(code: int) -> str:
    if code < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit code {code}"
