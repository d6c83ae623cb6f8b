"""Loaded by Python itself in every process of a fault run (this folder is on PYTHONPATH); changes worker processes only.

`PERIGEE_TEST_SMTP_SECONDS`: patience with a mail server at every stage. The real minimums, up to ten minutes, would make
a run with hanging servers take hours.

`PERIGEE_TEST_CLOCK`: a file of eight bytes, a float of seconds by which this process's wall clock is wrong. It is mapped,
so that the clock jumps the moment the file changes, while code is running; the monotonic clock is left alone, as a real
jump would leave it.
"""

from __future__ import annotations

import ctypes
import datetime
import functools
import gc
import mmap
import os
import struct
import sys
import time


def wrong_clock(path: str) -> None:
    with open(path, "rb") as file:
        shared = mmap.mmap(file.fileno(), 8, prot=mmap.PROT_READ)
    real_time, real_now = time.time, datetime.datetime.now

    def offset() -> float:
        return float(struct.unpack("d", shared[:8])[0])

    def now(tz: datetime.tzinfo | None = None) -> datetime.datetime:
        return real_now(tz) + datetime.timedelta(seconds=offset())

    time.time = lambda: real_time() + offset()
    # The type is written in C and everybody has a name for it already: its method is replaced in place.
    methods = gc.get_referents(datetime.datetime.__dict__)[0]
    methods["now"] = staticmethod(now)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(datetime.datetime))


def impatient(seconds: float) -> None:
    from perigee.delivery.channels.smtp import pool
    from perigee.delivery.channels.smtp.settings import Timeouts

    stages = dict.fromkeys((name for name in Timeouts.__struct_fields__ if name != "quit"), seconds)
    pool.Timeouts = functools.partial(Timeouts, **stages)  # type: ignore[misc]


if sys.orig_argv[1:4] == ["-m", "perigee", "worker"]:
    if found := os.environ.get("PERIGEE_TEST_CLOCK"):
        wrong_clock(found)
    if found := os.environ.get("PERIGEE_TEST_SMTP_SECONDS"):
        impatient(float(found))
