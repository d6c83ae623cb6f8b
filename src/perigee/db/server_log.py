"""What PostgreSQL's log says, in words for the operator. Pure but for reading the end of a file."""

from __future__ import annotations

import re
from pathlib import Path

_SEVERE = re.compile(r"\b(?:PANIC|FATAL|initdb: error|error|ERROR):\s+(.*)")
_WRONG_SETTING = re.compile(
    r"\bLOG:\s+((?:invalid value|unrecognized configuration|syntax error|parameter \").*)"
)

_MEANINGS = (
    ("No space left on device", "the disk is full: free some space on the disk of {place}, then start again"),
    ("Disk quota exceeded", "the disk quota is used up: free some space in {place}, then start again"),
    ("Read-only file system", "{place} is on a file system mounted read-only"),
    ("Cannot allocate memory", "not enough memory; lower shared_buffers in local.conf beside {place}"),
    ("still in use", "an earlier server of {place} has not ended yet; end it, or wait and start again"),
    ("has wrong ownership", "{place} belongs to another user; start Perigee as the user that made it"),
    ("Permission denied", "permission denied in {place}: {line}"),
    ("could not locate a valid checkpoint record", "{place} is damaged; restore a backup: {line}"),
    ("invalid checkpoint record", "{place} is damaged; restore a backup: {line}"),
)


def explain(log: str, place: Path) -> str:
    """The cause of a failed start as one line. `place` is the folder that the operator must look at."""
    severe = _WRONG_SETTING.findall(log) or _SEVERE.findall(log)
    line = severe[-1] if severe else (log.strip().splitlines() or ["no message in its log"])[-1]
    for sign, meaning in _MEANINGS:
        if sign in log:
            return meaning.format(place=place, line=line)
    return line


def tail(path: Path, size: int = 8192) -> str:
    """The last `size` bytes of a file as text, empty if it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - size))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
