"""The supervisor: restarts what dies, ends what it started, leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from perigee.errors import OperatorError
from perigee.supervise import Part, Patience, Supervisor
from perigee.testing.installation import alive

QUICK = Patience(first_pause=0.01, longest_pause=0.02, settled=1000, hopeless=1000, grace=20)

# Marks its start in a file, then lives until it is told to stop.
POLITE = """
import os, signal, sys
marks = open(sys.argv[1], "a")
def stop(*_):
    print("end", file=marks, flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("start", os.getpid(), file=marks, flush=True)
while True:
    signal.pause()
"""
STUBBORN = POLITE.replace(
    "signal.signal(signal.SIGTERM, stop)", "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
)


def part(code: str, marks: Path, name: str = "part") -> Part:
    return Part(name, [sys.executable, "-c", code, str(marks)])


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - what we wait for happens in another process
            await asyncio.sleep(0.005)


def lines(marks: Path) -> list[str]:
    return marks.read_text().splitlines() if marks.exists() else []


def starts(marks: Path) -> list[int]:
    return [int(line.split()[1]) for line in lines(marks) if line.startswith("start")]


@contextlib.asynccontextmanager
async def running(supervisor: Supervisor) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(supervisor.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_part_that_dies_is_started_again(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    supervisor = Supervisor([part(POLITE, marks)], QUICK)
    async with running(supervisor):
        await until(lambda: starts(marks))
        first = starts(marks)[0]
        assert supervisor.pids == {"part": first}
        os.kill(first, signal.SIGKILL)
        await until(lambda: len(starts(marks)) == 2)
        second = starts(marks)[1]
        assert second != first
        assert supervisor.pids == {"part": second}


async def test_the_others_live_on_when_one_dies(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    supervisor = Supervisor([part(POLITE, one, "one"), part(POLITE, two, "two")], QUICK)
    async with running(supervisor):
        await until(lambda: starts(one) and starts(two))
        os.kill(starts(one)[0], signal.SIGKILL)
        await until(lambda: len(starts(one)) == 2)
        assert supervisor.pids["two"] == starts(two)[0]
        assert len(starts(two)) == 1


async def test_stopping_ends_every_part_politely(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    supervisor = Supervisor([part(POLITE, one, "one"), part(POLITE, two, "two")], QUICK)
    async with running(supervisor) as task:
        await until(lambda: starts(one) and starts(two))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert lines(one)[-1] == lines(two)[-1] == "end"
    assert supervisor.pids == {}


async def test_a_part_that_ignores_the_signal_is_killed(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    patience = Patience(grace=0.05)
    async with running(Supervisor([part(STUBBORN, marks)], patience)) as task:
        await until(lambda: starts(marks))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert not alive(starts(marks)[0])


async def test_kill_does_not_wait(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    supervisor = Supervisor([part(STUBBORN, marks)], Patience(grace=3600))
    async with running(supervisor) as task:
        await until(lambda: starts(marks))
        task.cancel()
        await asyncio.sleep(0)
        supervisor.kill()
        await asyncio.gather(task, return_exceptions=True)
    assert lines(marks)[-1] != "end"
    assert not alive(starts(marks)[0])


async def test_a_part_that_never_lives_ends_everything_with_one_line(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    broken = Part("web-1", [sys.executable, "-c", "raise SystemExit(3)"])
    patience = Patience(first_pause=0.01, longest_pause=0.02, hopeless=3, settled=1000)
    with pytest.raises(OperatorError, match=r"^web-1 does not stay alive \(exit code 3, 3 times in a row\)$"):
        await Supervisor([broken, part(POLITE, marks, "other")], patience).run()
    assert not [pid for pid in starts(marks) if alive(pid)]


async def test_a_part_that_once_lived_is_never_given_up(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    patience = Patience(first_pause=0.01, longest_pause=0.01, hopeless=1, settled=0)
    async with running(Supervisor([part(POLITE, marks)], patience)) as task:
        for count in range(1, 4):
            await until(lambda: len(starts(marks)) >= count)  # noqa: B023 - called before the next turn
            os.kill(starts(marks)[-1], signal.SIGKILL)
        assert not task.done()


async def test_a_child_that_watches_its_parent_ends_with_it(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    child = (
        "import asyncio, os, sys\n"
        "from perigee.supervise import when_orphaned\n"
        "async def main():\n"
        "    gone = asyncio.Event()\n"
        "    when_orphaned(gone.set)\n"
        "    print('start', os.getpid(), file=open(sys.argv[1], 'a'), flush=True)\n"
        "    await gone.wait()\n"
        "asyncio.run(main())\n"
    )
    parent = (
        "import asyncio, sys\n"
        "from perigee.supervise import Part, Supervisor\n"
        f"part = Part('part', [sys.executable, '-c', {child!r}, sys.argv[1]])\n"
        "asyncio.run(Supervisor([part]).run())\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", parent, str(marks))
    await until(lambda: starts(marks))
    process.kill()
    await process.wait()
    await until(lambda: not alive(starts(marks)[0]))
