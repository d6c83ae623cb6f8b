"""The process in which mail is parsed: nothing in its environment, two seconds of CPU for each mail, no files.

On standard input mails, each behind its length in four bytes; on standard output `ready`, then a line of JSON for each:
a `Finding`, or null for one that cannot be read.
"""

from __future__ import annotations

import contextlib
import logging
import math
import resource
import struct
import sys
from typing import Final

import msgspec

from perigee.bounces.mail import MOST_BYTES, Finding, read_mail

CPU_SECONDS: Final = 2
MEMORY: Final = 1024 * 1024 * 1024


def main() -> None:
    logging.disable()  # detectors log every try
    for limit, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_AS, MEMORY)):
        with contextlib.suppress(ValueError, OSError):  # a system may have no such limit
            resource.setrlimit(limit, (most, most))
    out = sys.stdout.buffer
    out.write(b"ready\n")
    out.flush()
    while head := sys.stdin.buffer.read(4):
        (size,) = struct.unpack(">I", head)
        raw = sys.stdin.buffer.read(size)
        out.write(msgspec.json.encode(_read(raw)) + b"\n")
        out.flush()


def _read(raw: bytes) -> Finding | None:
    _allow_cpu()
    try:
        return read_mail(raw[: MOST_BYTES + 1])
    except Exception:  # whatever a parser raises over a hostile mail
        return None


def _allow_cpu() -> None:
    """The kernel ends the process when this mail takes longer."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(used.ru_utime + used.ru_stime) + CPU_SECONDS
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if hard == resource.RLIM_INFINITY or soft < hard:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


if __name__ == "__main__":
    main()
