"""pytest plugin: a real PostgreSQL for the whole run, and a fresh migrated database for each test that asks.

One embedded server is shared by all workers of a run. The first worker that needs it starts it and migrates a
template; a test's database is a copy of that template (about 30 ms in memory, under `/dev/shm` where there is
room). Nothing is made for a run that asks for no database. The server writes without care for crashes; a test
of durability starts its own `EmbeddedServer(server_home)`.

Fixtures: `database_url`, `db` (an open `Database`), `server_home` (a folder for a server of the test's own).
"""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from hypothesis import HealthCheck, settings

from perigee.db.embedded import EmbeddedServer
from perigee.db.migrate import migrate
from perigee.db.pool import Database

# Nothing timed is a test: a slow machine makes no example wrong.
settings.register_profile("perigee", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("perigee")

_HOME = "PERIGEE_TEST_HOME"
_PREFIX = "perigee-test-"
_TEMPLATE = "perigee"
_FAST_AND_CARELESS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "64MB",
    "max_wal_size": "1GB",
    "min_wal_size": "128MB",
    "max_connections": "200",
    "autovacuum": "off",
    "log_min_duration_statement": "-1",
}
_numbers = itertools.count()


def pytest_configure(config: pytest.Config) -> None:
    """Names the run's folder; workers inherit it. Folders of runs that were killed are cleared away."""
    if not hasattr(config, "workerinput") and _HOME not in os.environ:
        _sweep()
        os.environ[_HOME] = str(make_home(f"{_PREFIX}{os.getpid()}-"))


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and (home := os.environ.pop(_HOME, None)):
        remove_home(Path(home))


def make_home(prefix: str) -> Path:
    """A new folder that the server's system user may enter when root runs the tests; in memory if there is room."""
    home = Path(tempfile.mkdtemp(prefix=prefix, dir=_roomy_folder()))
    home.chmod(0o755)
    return home


def _roomy_folder() -> Path:
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2 * 1024**3:
        return memory
    return Path(tempfile.gettempdir())


def remove_home(home: Path) -> None:
    """Stops the server in it, if one runs, and deletes everything."""
    EmbeddedServer(home).remove()
    shutil.rmtree(home, ignore_errors=True)


def _sweep() -> None:
    for folder in _roomy_folder().glob(f"{_PREFIX}*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if folder.stat().st_uid == os.geteuid() and pid.isdigit() and not psutil.pid_exists(int(pid)):
            remove_home(folder)


@pytest.fixture(scope="session")
def _server() -> EmbeddedServer:
    home = Path(os.environ[_HOME])
    server = EmbeddedServer(home, options=_FAST_AND_CARELESS)
    with (home / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not server.is_running():
            migrate(server.start())
    return server


@pytest.fixture(scope="session")
def _admin(_server: EmbeddedServer) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(_server.url("postgres"), autocommit=True) as connection:
        yield connection


@pytest.fixture
def database_url(_server: EmbeddedServer, _admin: psycopg.Connection[tuple[object, ...]]) -> Iterator[str]:
    """A fresh database with the whole schema; dropped after the test, whoever is still connected."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    _admin.execute(f"create database {name} template {_TEMPLATE} strategy file_copy".encode())
    yield _server.url(name)
    _drop(_admin, name)


def _drop(admin: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    """`drop … with (force)` sleeps for 100 ms when a backend is still on its way out; this looks more often."""
    leaving = "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = %s"
    while admin.execute(leaving, [name]).fetchone() != (0,):
        time.sleep(0.002)
    admin.execute(f"drop database {name} with (force)".encode())


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """An open pool on a fresh database."""
    async with Database(database_url) as database:
        yield database


@pytest.fixture
def server_home() -> Iterator[Path]:
    """An empty home for a server that the test starts itself; stopped and removed afterwards."""
    home = make_home("perigee-home-")
    yield home
    remove_home(home)
