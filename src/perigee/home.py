"""The home folder: made with the right mode, used by one `up` at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from perigee.errors import OperatorError


def make_home(home: Path) -> None:
    """Root's home can be passed through by the system user of the database (files in it stay private); else the
    folder is ours alone. An existing folder keeps its mode."""
    if home.is_dir():
        return
    try:
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o711 if os.geteuid() == 0 else 0o700)
    except OSError as error:
        raise OperatorError(f"PERIGEE_HOME={home} cannot be made: {error.strerror}") from None


@contextlib.contextmanager
def alone(home: Path) -> Iterator[bool]:
    """Held by an `up` while it runs, because a second one would stop the database under the first.

    Yields whether the one before was killed, in which case its children may need a moment to notice.
    """
    make_home(home)
    path = home / "up.lock"
    try:
        file = path.open("a+")
    except OSError as error:
        raise OperatorError(f"PERIGEE_HOME={home} cannot be used: {error.strerror}") from None
    with file:
        file.seek(0)
        holder = file.read().strip()
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise OperatorError(f"Perigee runs already on {home} (process {holder or '?'})") from None
        _write(path, f"{os.getpid()}\n")
        yield bool(holder)
        _write(path, "")


def is_used(home: Path) -> bool:
    """Whether an `up` runs on this home now."""
    try:
        with (home / "up.lock").open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _write(path: Path, text: str) -> None:
    path.write_text(text)
