"""The demo's own home folder, made anew for each run, so that it never touches an installation."""

from __future__ import annotations

import contextlib
import shutil
import socket
from pathlib import Path

from perigee.db.embedded import EmbeddedServer
from perigee.errors import OperatorError
from perigee.home import is_used, make_home
from perigee.settings import Settings

HOST = "127.0.0.1"
USUAL_PORT = 8025
_MARK = "this-is-a-demo"


def fresh_home(home: Path) -> bool:
    """Makes an empty home, deleting that of an earlier demo, its database included; returns whether there was one.
    Raises OperatorError for a folder that is not a demo's, and while a demo runs in it."""
    earlier = (home / _MARK).exists()
    if earlier:
        if is_used(home):
            raise OperatorError(f"a demo runs already on {home}; stop it, or name another folder with --home")
        try:
            EmbeddedServer(home).remove()
            shutil.rmtree(home)
        except OSError as error:
            raise OperatorError(f"{home} cannot be emptied: {error.strerror}") from None
    elif home.exists() and not (home.is_dir() and not any(home.iterdir())):
        raise OperatorError(f"{home} was not made by a demo, so it is not emptied; name another with --home")
    make_home(home.parent)
    make_home(home)
    (home / _MARK).touch()
    return earlier


def settle(home: Path, port: int | None, *, log_level: str) -> Settings:
    """The demo's settings, kept in its home, so that `perigee up` may go on with it later. Nothing of the real
    installation's settings is taken over."""
    port = port or free_port()
    (home / "perigee.toml").write_text(
        f'host = "{HOST}"\nport = {port}\npublic_url = "http://{HOST}:{port}"\nlog_level = "{log_level}"\n'
    )
    return Settings.load({"PERIGEE_HOME": str(home)})


def free_port() -> int:
    """The usual one if nobody has it, else any."""
    for port in (USUAL_PORT, 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return int(probe.getsockname()[1])
    raise OperatorError(f"no port is free on {HOST}")
