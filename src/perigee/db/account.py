"""The system user that runs the embedded server. PostgreSQL refuses to run as root, so root needs one."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perigee.errors import OperatorError

NAME = "perigee"
_STAND_INS = ("postgres", "nobody")
_CREATE = (
    "useradd --system --user-group --no-create-home --home-dir /var/lib/perigee --shell /usr/sbin/nologin",
    "adduser -S -D -H -h /var/lib/perigee -s /sbin/nologin",  # busybox
)


@dataclass(frozen=True)
class Account:
    """A system user; `runs_as_us` when it is the user of this process."""

    name: str
    uid: int
    gid: int

    @property
    def runs_as_us(self) -> bool:
        return self.uid == os.geteuid()

    def popen_options(self) -> dict[str, Any]:
        """Keyword arguments of `subprocess` that start a program as this user, from a folder it may enter."""
        options: dict[str, Any] = {"cwd": "/", "umask": 0o077, "stdin": subprocess.DEVNULL}
        if not self.runs_as_us:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return options

    def run(self, *command: str | Path, input: str | None = None) -> subprocess.CompletedProcess[str]:
        """Runs a program as this user to its end, with no environment of ours but a plain locale."""
        options = self.popen_options()
        if input is not None:
            options.pop("stdin")
        try:
            return subprocess.run(  # noqa: S603 - our own programs
                [str(part) for part in command],
                input=input,
                capture_output=True,
                text=True,
                errors="replace",
                env={"LC_ALL": "C", "PATH": os.defpath},
                check=False,
                **options,
            )
        except PermissionError as error:
            return subprocess.CompletedProcess(command, 126, "", str(error))

    def can_enter(self, folder: Path) -> bool:
        return self.runs_as_us or self.run("/bin/sh", "-c", 'cd -- "$0"', folder).returncode == 0

    def write(self, path: Path, text: str) -> None:
        """Writes a file as this user: root must not write into a folder that another user controls."""
        done = self.run("/bin/sh", "-c", 'cat > "$0"', path, input=text)
        if done.returncode:
            raise OperatorError(f"cannot write {path} as system user {self.name}: {done.stderr.strip()}")


def server_account(data: Path) -> Account:
    """Who runs the server: ourselves; for root the owner of existing data, else our system user, made if missing."""
    uid = os.geteuid()
    if uid != 0:
        return _account_of(_entry_of_uid(uid))
    if data.exists() and (owner := data.stat().st_uid) != 0:
        return _account_of(_entry_of_uid(owner))
    entry = _entry(NAME) or _create() or next(filter(None, map(_entry, _STAND_INS)), None)
    if entry is None:
        raise OperatorError(
            f"PostgreSQL does not run as root, and the system user {NAME!r} could not be made. "
            f"Make it (useradd --system {NAME}), run Perigee as another user, or set PERIGEE_DATABASE_URL."
        )
    return _account_of(entry)


def _account_of(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _entry_of_uid(uid: int) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        raise OperatorError(
            f"user id {uid} has no entry in /etc/passwd, and PostgreSQL does not start without one. "
            "Add the entry, run as a known user, or set PERIGEE_DATABASE_URL."
        ) from None


def _create() -> pwd.struct_passwd | None:
    for line in _CREATE:
        command = line.split()
        if shutil.which(command[0]):
            subprocess.run([*command, NAME], capture_output=True, check=False)  # noqa: S603
            if entry := _entry(NAME):
                return entry
    return None
