"""Mail is parsed in a child process (`child.py`): one per set, a new one behind a mail that ended it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
import sys
from collections.abc import Sequence
from typing import Final

import msgspec

from perigee.bounces.mail import Finding

START_SECONDS: Final = 60.0
MAIL_SECONDS: Final = 20.0
"""Of the clock; the child's own limit is of CPU, and a busy machine is no fault of the mail."""
_LINE: Final = 256 * 1024


class NoChild(Exception):
    """The child did not come up: nothing was read, and nothing is known about the mails."""


async def read_all(mails: Sequence[bytes]) -> list[Finding | None]:
    """In order; None for one that cannot be read within the limits. Raises NoChild."""
    found: list[Finding | None] = []
    while len(found) < len(mails):
        found += await _read_on(mails[len(found) :])
        if len(found) < len(mails):
            found.append(None)  # the one the child ended with
    return found


async def _read_on(mails: Sequence[bytes]) -> list[Finding | None]:
    """What one child read before it ended."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "perigee.bounces.child",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=_LINE,
        env={"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
    )
    assert child.stdin is not None
    assert child.stdout is not None
    feeding = asyncio.create_task(_feed(child.stdin, mails))
    found: list[Finding | None] = []
    try:
        if await _line(child.stdout, START_SECONDS) != b"ready\n":
            raise NoChild(f"the process that reads mail did not start ({child.returncode})")
        for _ in mails:
            line = await _line(child.stdout, MAIL_SECONDS)
            if not line:
                break
            found.append(msgspec.json.decode(line, type=Finding | None))
    finally:
        feeding.cancel()
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await asyncio.gather(feeding, return_exceptions=True)
        await child.wait()
    return found


async def _feed(stdin: asyncio.StreamWriter, mails: Sequence[bytes]) -> None:
    with contextlib.suppress(ConnectionError):
        for raw in mails:
            stdin.write(struct.pack(">I", len(raw)) + raw)
            await stdin.drain()


async def _line(stdout: asyncio.StreamReader, seconds: float) -> bytes:
    """Empty at the end, and when nothing came in time."""
    try:
        return await asyncio.wait_for(stdout.readline(), seconds)
    except (TimeoutError, ValueError):
        return b""
