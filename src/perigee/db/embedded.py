"""The embedded PostgreSQL: made, started, found again and stopped by a few lines over `initdb` and `postgres`.

Layout under `<home>`: `postgresql/` (`data`, `run` with the socket, `log`, `local.conf` for the operator's own
settings), `postgresql.start.log`, `postgresql.lock`. The server listens on a Unix socket only; who may open the
socket is decided by its folder, which belongs to the server's user and nobody else (root passes).

Run by root, the server is a system user (see `account`). If that user cannot reach `<home>`, `postgresql` is a
link to a folder under `/var/lib/perigee`; permissions of existing folders are never changed.

The server outlives the process that started it: whoever calls `start` next finds it and goes on with it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import locale
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from perigee.db.account import Account, server_account
from perigee.db.binaries import SYSTEM_FOLDER, Binaries, binaries_for
from perigee.db.server_log import explain, tail
from perigee.db.tuning import MB, as_conf, machine_memory, server_settings
from perigee.errors import OperatorError
from perigee.home import make_home
from perigee.settings import Settings

USER = DATABASE = "perigee"
_LONGEST_SOCKET_PATH = 103  # bytes: Linux allows 107, macOS 103
_SOCKET_NAME = ".s.PGSQL.5432"
_LEAST_FREE_DISK = 64 * MB


class EmbeddedServer:
    """The server of one home folder. Methods block; they may be called by several processes at once."""

    def __init__(
        self, home: Path, *, options: Mapping[str, str] | None = None, system: Path = SYSTEM_FOLDER
    ) -> None:
        """`options` are server settings that go over ours; `system` is where root keeps what `home` cannot hold."""
        self.home = home.absolute()
        self._base = self.home / "postgresql"
        self._start_log = self.home / "postgresql.start.log"
        self._options = dict(options or {})
        self._system = system
        self._child: _Outliving | None = None

    @property
    def data(self) -> Path:
        return self._base.resolve() / "data"

    def url(self, database: str = DATABASE) -> str:
        """Where to connect; the server need not run."""
        return f"postgresql://{USER}@/{quote(database)}?host={quote(str(self._socket_folder()), safe='')}"

    @property
    def pid(self) -> int | None:
        """The process id of the running server, or None. A stale pid file, or its number in use by another
        program, is None."""
        recorded = self._recorded_pid()
        if self._child is not None and self._child.poll() is not None:
            self._child = None  # reaped
        if recorded is None:
            return None
        try:
            process = psutil.Process(recorded)
            ours = process.status() != psutil.STATUS_ZOMBIE and str(self.data) in process.cmdline()
        except psutil.Error:
            return None
        return recorded if ours else None

    def is_running(self) -> bool:
        return self.pid is not None

    def start(self) -> str:
        """Makes the data if there is none, starts the server unless it runs, and returns the url of a database
        that answers. Raises `OperatorError` in words for the operator."""
        make_home(self.home)
        with self._lock():
            account = server_account(self.data)
            if not self.is_running():
                self._launch(account)
            self._wait_until_ready()
            self._ensure_database()
            return self.url()

    def stop(self, *, patience: float = 30) -> None:
        """Ends connections, writes everything down and stops; harder after `patience` seconds. Does nothing if
        the server does not run."""
        if not self._base.exists():
            return
        with self._lock():
            for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast, immediate, killed
                if (pid := self.pid) is None:
                    break
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, how)
                self._wait_until_gone(patience if how == signal.SIGINT else 5)
            if self._child is not None:
                self._child.wait()  # its pid file goes a moment before it does
                self._child = None

    def remove(self) -> None:
        """Stops the server and deletes its data."""
        self.stop()
        shutil.rmtree(self._socket_folder(), ignore_errors=True)
        shutil.rmtree(self._base.resolve(), ignore_errors=True)
        if self._base.is_symlink():
            self._base.unlink()

    # -- making and launching

    def _launch(self, account: Account) -> None:
        binaries = binaries_for(account, system=self._system)
        base = self._make_base(account)
        self._check(base, binaries)
        if not (self.data / "PG_VERSION").exists():
            self._make_data(account, binaries, base)
        account.write(self.data / "perigee.conf", as_conf(self._settings(base)))
        self._pass_over_foreign_pid(account)
        self._exec(account, binaries)

    def _make_base(self, account: Account) -> Path:
        if not self._base.exists():
            if account.can_enter(self.home):
                base = self._base
            else:
                base = self._system / "servers" / secrets.token_hex(6)
                base.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
                self._base.unlink(missing_ok=True)  # a link whose target was deleted
                self._base.symlink_to(base)
            base.mkdir(mode=0o700)
            _give(base, account)
        base = self._base.resolve()
        socket_folder = self._socket_folder()
        for folder in (base / "log", socket_folder):
            if not folder.exists():
                folder.mkdir(mode=0o700)
                _give(folder, account)
        if socket_folder.stat().st_uid != account.uid:
            raise OperatorError(f"{socket_folder} belongs to somebody else; remove it, or move PERIGEE_HOME")
        return base

    def _socket_folder(self) -> Path:
        """Beside the data, or under a short name where the path would be too long for a socket."""
        folder = self._base.resolve() / "run"
        if len(os.fsencode(folder / _SOCKET_NAME)) <= _LONGEST_SOCKET_PATH:
            return folder
        name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
        parent = Path("/run") if os.geteuid() == 0 and os.access("/run", os.W_OK) else Path("/tmp")  # noqa: S108
        return parent / f"perigee-{name}"

    def _check(self, base: Path, binaries: Binaries) -> None:
        if shutil.disk_usage(base).free < _LEAST_FREE_DISK:
            raise OperatorError(f"the disk is full: less than {_LEAST_FREE_DISK // MB} MB are free in {base}")
        with contextlib.suppress(FileNotFoundError):
            made_by = (self.data / "PG_VERSION").read_text().strip()
            if made_by != str(binaries.major):
                raise OperatorError(
                    f"{self.data} was written by PostgreSQL {made_by}, this Perigee brings {binaries.major}. "
                    "To upgrade: `perigee db dump FILE` with the Perigee that wrote it, move that folder away, "
                    "then `perigee db restore FILE` with this one"
                )

    def _make_data(self, account: Account, binaries: Binaries, base: Path) -> None:
        """`initdb` under another name, then a rename: a start killed half-way leaves no half-made data."""
        fresh = base / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        made = account.run(
            binaries.program("initdb"),
            *(
                "-D",
                fresh,
                "-U",
                USER,
                "--auth=trust",
                "--encoding=UTF8",
                "--data-checksums",
                "--no-instructions",
            ),
            # Sorting by code point never changes with the system's libraries, so no index breaks by an upgrade.
            *(
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                f"--lc-ctype={_ctype()}",
            ),
        )
        if made.returncode:
            shutil.rmtree(fresh, ignore_errors=True)
            raise OperatorError(
                f"cannot make the database in {base}: {explain(made.stdout + made.stderr, base)}"
            )
        account.write(
            fresh / "pg_hba.conf", "# The socket's folder decides who may connect.\nlocal all all trust\n"
        )
        account.write(
            fresh / "postgresql.conf",
            "# perigee.conf is written anew at each start. Your own settings go into local.conf and win.\n"
            f"include 'perigee.conf'\ninclude_if_exists '{base / 'local.conf'}'\n",
        )
        fresh.rename(base / "data")

    def _settings(self, base: Path) -> dict[str, str]:
        settings = server_settings(
            memory=machine_memory(), free_disk=shutil.disk_usage(base).free, shared_memory=_shared_memory()
        )
        settings["log_directory"] = str(base / "log")
        settings["unix_socket_directories"] = str(self._socket_folder())
        settings["unix_socket_permissions"] = "0700"
        return settings | self._options

    def _pass_over_foreign_pid(self, account: Account) -> None:
        """After a container restart the pid file's number may be another program's, and PostgreSQL would refuse
        to start. Our own pid there reads as stale; the rest of the file stays, because its shared memory key is
        what shows orphaned backends of a killed server."""
        recorded = self._recorded_pid()
        if recorded is not None and psutil.pid_exists(recorded):
            path = self.data / "postmaster.pid"
            rest = path.read_text().split("\n", 1)[1]
            account.write(path, f"{os.getpid()}\n{rest}")

    def _exec(self, account: Account, binaries: Binaries) -> None:
        with self._start_log.open("wb") as log:
            self._child = _Outliving(
                [binaries.program("postgres"), "-D", str(self.data)],
                stdout=log,
                stderr=log,
                env={"LC_ALL": "C", "PATH": os.defpath},
                start_new_session=True,  # Ctrl-C in the terminal is ours to handle, not the server's
                **account.popen_options(),
            )

    # -- waiting

    def _wait_until_ready(self) -> None:
        """Recovery after a crash may take minutes and is waited for as long as the server lives. A server that
        was killed leaves backends that take a moment to notice: its successor is tried again for 20 s."""
        deadline = time.monotonic() + 20
        while not self._says_ready():
            if not self.is_running() and (self._child is None or self._child.poll() is not None):
                log = self._read_logs()
                if "still in use" not in log or time.monotonic() > deadline:
                    raise OperatorError(f"PostgreSQL does not start: {explain(log, self.data)}")
                time.sleep(0.3)
                account = server_account(self.data)
                self._exec(account, binaries_for(account, system=self._system))
            time.sleep(0.01)

    def _says_ready(self) -> bool:
        lines = self._pid_file_lines()
        return len(lines) >= 8 and lines[7].strip() == "ready" and self.is_running()

    def _ensure_database(self) -> None:
        try:
            with psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=30) as connection:
                if not connection.execute(
                    "select 1 from pg_database where datname = %s", [DATABASE]
                ).fetchone():
                    connection.execute(f"create database {DATABASE}")
        except psycopg.Error as error:
            raise OperatorError(f"PostgreSQL does not answer: {explain(str(error), self.data)}") from error

    def _wait_until_gone(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        while self.is_running() and time.monotonic() < deadline:
            time.sleep(0.02)

    # -- files

    def _pid_file_lines(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _recorded_pid(self) -> int | None:
        lines = self._pid_file_lines()
        return int(lines[0]) if lines and lines[0].strip().isdigit() else None

    def _read_logs(self) -> str:
        logs = sorted((self._base.resolve() / "log").glob("*.log"), key=lambda path: path.stat().st_mtime)
        return "".join(tail(path) for path in [self._start_log, *logs[-1:]])

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        """One process at a time starts or stops the server of a home."""
        with (self.home / "postgresql.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def database_url(settings: Settings) -> str:
    """Where the database of this installation is. Raises `OperatorError` if it is the embedded one and does not
    run; it is not started, because nobody would be there to stop it."""
    if settings.database_url:
        return settings.database_url
    server = EmbeddedServer(settings.home)
    if not server.is_running():
        raise OperatorError(
            f"the embedded database of {settings.home} does not run: `perigee up` starts everything, "
            "`perigee db start` the database alone; PERIGEE_DATABASE_URL names another server"
        )
    return server.url()


class _Outliving(subprocess.Popen[bytes]):
    """A child that may outlive us on purpose: no warning that it still runs when the handle goes."""

    def __del__(self, *_: object) -> None:
        super().__del__(_warn=lambda *_, **__: None)  # type: ignore[call-arg]  # not in typeshed


def _give(folder: Path, account: Account) -> None:
    if not account.runs_as_us:
        os.chown(folder, account.uid, account.gid)


def _ctype() -> str:
    """A UTF-8 character type of the C library: trigram search asks it what a letter is."""
    for name in ("C.UTF-8", "C.utf8", "en_US.UTF-8", "UTF-8"):
        with contextlib.suppress(locale.Error):
            saved = locale.setlocale(locale.LC_CTYPE)
            try:
                locale.setlocale(locale.LC_CTYPE, name)
            finally:
                locale.setlocale(locale.LC_CTYPE, saved)
            return name
    return "C"


def _shared_memory() -> int:
    try:
        return shutil.disk_usage("/dev/shm").free  # noqa: S108
    except OSError:
        return 1024 * MB  # not Linux: no such limit
