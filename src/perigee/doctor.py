"""What can be wrong with a machine or an installation, one function for each question. Changes nothing."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from perigee.db.embedded import EmbeddedServer
from perigee.db.migrate import pending_migrations, server_version
from perigee.db.tuning import GB, MB, machine_memory
from perigee.errors import OperatorError
from perigee.home import is_used
from perigee.http.listen import listen
from perigee.secret_key import secret_key_path
from perigee.settings import Settings, unknown_variables

OK, WARN, FAIL = "ok", "warn", "fail"
_OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True)
class Finding:
    """`said` is one line; a warn or fail says what to do."""

    level: str
    subject: str
    said: str


def check_everything(settings: Settings) -> list[Finding]:
    """All findings, in the order in which a start would meet them."""
    return [
        python(),
        *slips(os.environ),
        home(settings.home),
        disk(_nearest(settings.home)),
        memory(machine_memory()),
        port(settings),
        public_url(settings.public_url),
        secret_key(settings),
        *database(settings),
    ]


def python() -> Finding:
    version = platform.python_version()
    if sys.version_info[:2] < _OLDEST_PYTHON:
        return Finding(FAIL, "python", f"{version} is too old; 3.11 or newer is needed")
    return Finding(OK, "python", version)


def slips(environ: os._Environ[str] | dict[str, str]) -> Iterator[Finding]:
    for name in unknown_variables(environ):
        yield Finding(WARN, "settings", f"{name} is set but is no setting; `perigee config` lists them")


def home(folder: Path) -> Finding:
    existing = _nearest(folder)
    if not os.access(existing, os.W_OK | os.X_OK):
        return Finding(FAIL, "home", f"{existing} cannot be written; set PERIGEE_HOME")
    made = "" if existing == folder else " (will be made)"
    return Finding(OK, "home", f"{folder}{made}")


def disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    said = f"{free / GB:.1f} GB free at {folder}"
    if free < 500 * MB:
        return Finding(FAIL, "disk", f"{said}; the database needs room")
    if free < 5 * GB:
        return Finding(WARN, "disk", f"{said}; a database with many events grows past that")
    return Finding(OK, "disk", said)


def memory(total: int) -> Finding:
    said = f"{total / GB:.1f} GB"
    if total < GB:
        return Finding(WARN, "memory", f"{said}; 1 GB or more is advised")
    return Finding(OK, "memory", said)


def port(settings: Settings) -> Finding:
    if is_used(settings.home):
        return Finding(OK, "port", f"{settings.port} is ours, `perigee up` is running")
    try:
        listen(settings.host, settings.port).close()
    except OperatorError as error:
        return Finding(FAIL, "port", str(error))
    return Finding(OK, "port", f"{settings.port} on {settings.host} is free")


def public_url(url: str) -> Finding:
    parts = urlsplit(url)
    if parts.hostname is None:
        return Finding(FAIL, "public_url", f"{url} names no host; set PERIGEE_PUBLIC_URL")
    if parts.hostname in ("localhost", "0.0.0.0", "::1", "::") or parts.hostname.startswith("127."):  # noqa: S104
        return Finding(
            WARN, "public_url", f"{url}: links in messages work on this machine alone; set PERIGEE_PUBLIC_URL"
        )
    if parts.scheme != "https":
        return Finding(WARN, "public_url", f"{url}: mail programs want https for one-click unsubscribe")
    return Finding(OK, "public_url", url)


def secret_key(settings: Settings) -> Finding:
    if settings.secret_key:
        return Finding(OK, "secret_key", "set")
    path = secret_key_path(settings)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return Finding(OK, "secret_key", f"will be made in {path} by the first `perigee up`")
    except OSError as error:
        return Finding(FAIL, "secret_key", f"{path} cannot be read: {error.strerror}")
    if mode & 0o077:
        return Finding(WARN, "secret_key", f"{path} can be read by others; chmod 600 {path}")
    return Finding(OK, "secret_key", str(path))


def database(settings: Settings) -> Iterator[Finding]:
    url = settings.database_url
    kind = "external"
    if url is None:
        kind = "embedded"
        server = EmbeddedServer(settings.home)
        if not server.is_running():
            state = "does not run" if server.data.exists() else "will be made at the first start"
            yield Finding(OK, "database", f"embedded, {state}")
            return
        url = server.url()
    try:
        yield Finding(OK, "database", f"{kind}, PostgreSQL {server_version(url)} answers")
        yield migrations(url)
    except OperatorError as error:
        yield Finding(FAIL, "database", str(error))


def migrations(url: str) -> Finding:
    if pending := pending_migrations(url):
        return Finding(WARN, "migrations", f"{len(pending)} to apply; run `perigee migrate`")
    return Finding(OK, "migrations", "all applied")


def _nearest(folder: Path) -> Path:
    """The folder, or the closest parent that exists."""
    for candidate in (folder, *folder.parents):
        with contextlib.suppress(OSError):
            if candidate.is_dir():
                return candidate
    return Path("/")
