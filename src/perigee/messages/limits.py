"""The budget of a template: what bounds one person's rendering, whatever template and data are.

Shared by the template languages: each charges its look-ups, calls, assignments and loops here, checks sizes before
something can multiply them, and so the processor time of the thread is looked at on the way (not wall time: a busy
machine is no fault of the template). Limits: reliability 29, protocols 3.3.
"""

from __future__ import annotations

import time

STEPS = 100_000
SECONDS = 0.2
OUTPUT_BYTES = 1_000_000
DEPTH = 32
VALUE_WEIGHT = 100_000
"""Characters of a text, or of all texts in a list, that a filter may take or give."""
ITEMS = 5_000
"""Elements of a list or range."""
NUMBER_BITS = 256


class LimitReached(Exception):
    """A budget ran out; the message says which."""


class Budget:
    """Steps and processor time left for one person."""

    __slots__ = ("deadline", "looks", "steps")

    def __init__(self) -> None:
        self.steps = STEPS
        self.looks = 0
        self.deadline = time.thread_time() + SECONDS

    def charge(self, steps: int) -> None:
        self.steps -= steps
        if self.steps < 0:
            raise LimitReached(f"the template takes more than {STEPS} steps for one person")
        self.looks += 1
        if not self.looks & 15 and time.thread_time() > self.deadline:
            raise LimitReached(f"the template takes more than {SECONDS} s for one person")


def weight(value: object, limit: int = VALUE_WEIGHT) -> int:
    """Characters in a value, containers included; raises LimitReached above `limit`."""
    if isinstance(value, str):
        total = len(value)
    elif isinstance(value, bool) or value is None:
        return 1
    elif isinstance(value, int):
        if value.bit_length() > NUMBER_BITS:
            raise LimitReached("a number is too large")
        return 8
    elif isinstance(value, range):
        total = _range_length(value)
        limit = min(limit, ITEMS)
    elif isinstance(value, (list, tuple)):
        if len(value) > ITEMS:
            raise LimitReached(f"a list has more than {ITEMS} elements")
        total = len(value)
        for item in value:
            total += weight(item, limit - total)
    elif isinstance(value, dict):
        total = len(value)
        for key, item in value.items():
            total += len(str(key)) + weight(item, limit - total)
    else:
        return 8
    if total > limit:
        raise LimitReached(f"a value is longer than {VALUE_WEIGHT} characters")
    return total


def _range_length(value: range) -> int:
    return max(0, value.stop - value.start)  # len() overflows on what templates can write
