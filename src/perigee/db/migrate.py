"""Brings a database to the schema of this version: `migrations/NNNN.name.sql` in order, then the job queue's.

yoyo reads the files and keeps the record of what was applied. We replace three of its habits: its lock is a row
that a killed process leaves behind (ours is an advisory lock, which ends with its session); it marks a migration
in another transaction than the one that made the change (ours is one, so a crash leaves both or neither); it
takes table locks without limit (ours gives up after `_LOCK_TIMEOUT` and tries again, because everybody queues
behind a waiting DDL statement).
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import psycopg
from procrastinate.schema import SchemaManager
from psycopg import errors
from yoyo import read_migrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import DatabaseURI
from yoyo.migrations import default_migration_table

from perigee.errors import OperatorError

OLDEST_SERVER = 15
_ADVISORY_LOCK = 0x7065_7269_6765_6501  # "perigee", 1
_LOCK_TIMEOUT = "3s"
_TRIES = 5


@dataclass(frozen=True)
class Migrated:
    """What one run did: names of the files it applied, and whether it made the job queue's tables."""

    applied: list[str]
    queue_made: bool


def migrate(url: str, *, folder: Path | None = None, queue: bool = True) -> Migrated:
    """Migrates the database at `url`; safe to run by several processes at once (one works, the others wait and
    find nothing to do). Raises `OperatorError` for a server that is away, too old, busy, or a database that was
    migrated by a newer Perigee. A migration that fails leaves its file unapplied and the error as it is."""
    backend = _Backend(url)
    with backend, backend.lock():
        migrations = _read(folder or _folder())
        _applied(backend.connection, known={migration.id for migration in migrations})
        pending = list(backend.to_apply(migrations))
        for migration in pending:
            backend.apply_one(migration)
        queue_made = queue and _make_queue(backend.connection)
        return Migrated([migration.id for migration in pending], queue_made)


def pending_migrations(url: str) -> list[str]:
    """Names of the files not yet applied; changes nothing. Raises `OperatorError` as `migrate` does."""
    with _connect(url) as connection:
        return sorted(_known() - _applied(connection))


def require_migrated(url: str) -> None:
    """Raises `OperatorError` unless the database is at the schema of this version."""
    if pending := pending_migrations(url):
        raise OperatorError(
            f"the database lacks {len(pending)} migrations ({pending[0]} …); run `perigee migrate`"
        )


def server_version(url: str) -> str:
    """The server's version, `16.2`. Raises `OperatorError` if it does not answer or is too old for us."""
    with _connect(url) as connection:
        return _version(connection)


class _Backend(PostgresqlPsycopgBackend):  # type: ignore[misc]  # yoyo ships no types
    has_transactional_ddl = True
    _is_locked: bool
    connection: psycopg.Connection[tuple[Any, ...]]

    def __init__(self, url: str) -> None:
        self._url = url
        super().__init__(
            DatabaseURI("postgresql+psycopg", None, None, None, None, "", {}), default_migration_table
        )

    def copy(self) -> _Backend:
        return self  # one session holds the lock and does the work

    def connect(self, dburi: DatabaseURI) -> psycopg.Connection[tuple[Any, ...]]:
        connection = _connect(self._url)
        connection.execute(f"set lock_timeout = '{_LOCK_TIMEOUT}'")
        connection.execute("set statement_timeout = 0")
        connection.execute("set client_min_messages = warning")
        return connection

    @contextlib.contextmanager
    def lock(self, timeout: float = 600) -> Iterator[None]:
        """Polls, because a session waiting inside a statement would hold up CREATE INDEX CONCURRENTLY."""
        if self._is_locked:
            yield
            return
        deadline = time.monotonic() + timeout
        while not self._one("select pg_try_advisory_lock(%s)", _ADVISORY_LOCK):
            if time.monotonic() > deadline:
                raise OperatorError(
                    "another process has been migrating this database for ten minutes; look at it"
                )
            time.sleep(0.05)
        self._is_locked = True
        try:
            yield
        finally:
            self._is_locked = False
            if not self.connection.closed:
                self.connection.execute("select pg_advisory_unlock(%s)", [_ADVISORY_LOCK])

    def apply_one(self, migration: Any, force: bool = False, mark: bool = True) -> None:
        self.ensure_internal_schema_updated()
        migration.load()
        for tries_left in reversed(range(_TRIES)):
            try:
                if migration.use_transactions:
                    with self.transaction():
                        migration.process_steps(self, "apply")
                        self.mark_one(migration)
                else:
                    migration.process_steps(self, "apply")
                    self.mark_one(migration)
                return
            except errors.LockNotAvailable:
                if not tries_left:
                    raise OperatorError(
                        f"migration {migration.id} found its tables locked {_TRIES} times for {_LOCK_TIMEOUT}; "
                        "end the long transaction (see pg_stat_activity) and migrate again"
                    ) from None
                time.sleep(1)

    def get_log_data(self, migration: Any = None, operation: str = "apply") -> dict[str, Any]:
        """As yoyo's, without its name look-ups: they fail for users without a name and wait for absent DNS."""
        return {
            "id": str(uuid.uuid4()),
            "migration_id": migration.id if migration else None,
            "migration_hash": migration.hash if migration else None,
            "username": str(os.getuid()),
            "hostname": socket.gethostname(),
            "created_at_utc": datetime.now(UTC).replace(tzinfo=None),
            "operation": operation,
        }

    def _one(self, query: str, *parameters: object) -> Any:
        row = self.connection.execute(query.encode(), parameters).fetchone()
        return row[0] if row else None


def _folder() -> Path:
    return Path(str(resources.files("perigee.db.migrations")))


def _read(folder: Path) -> Any:
    return read_migrations(str(folder)).filter(lambda migration: migration.path.endswith(".sql"))


def _connect(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    try:
        connection = psycopg.connect(
            url, autocommit=True, connect_timeout=10, application_name="perigee migrate"
        )
    except psycopg.OperationalError as error:
        raise OperatorError(f"the database does not answer: {_first_line(error)}") from None
    except psycopg.ProgrammingError as error:
        raise OperatorError(f"PERIGEE_DATABASE_URL cannot be read: {error}") from None
    _version(connection)
    return connection


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].removeprefix("connection failed: ")


def _version(connection: psycopg.Connection[Any]) -> str:
    number = connection.info.server_version
    version = f"{number // 10_000}.{number % 10_000}"
    if number < OLDEST_SERVER * 10_000:
        connection.close()
        raise OperatorError(f"the database is PostgreSQL {version}; Perigee needs {OLDEST_SERVER} or newer")
    return version


def _known() -> set[str]:
    return {path.stem for path in _folder().glob("*.sql")}


def _applied(connection: psycopg.Connection[Any], *, known: set[str] | None = None) -> set[str]:
    """What yoyo recorded. Refuses a database that has what this version does not know."""
    if connection.execute("select to_regclass('_yoyo_migration')").fetchone() == (None,):
        return set()
    applied = {row[0] for row in connection.execute("select migration_id from _yoyo_migration")}
    if unknown := sorted(applied - (_known() if known is None else known)):
        raise OperatorError(
            f"the database was migrated by a newer Perigee ({unknown[-1]} is unknown here); update this installation"
        )
    return applied


def _make_queue(connection: psycopg.Connection[Any]) -> bool:
    """procrastinate's tables. Its later changes arrive as numbered files of ours when the library is updated."""
    if connection.execute("select to_regclass('procrastinate_jobs')").fetchone() != (None,):
        return False
    with connection.transaction():
        connection.execute(SchemaManager.get_schema())
    return True
