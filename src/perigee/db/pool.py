"""The connection pool of a process, and the one way to open a transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

Connection = AsyncConnection[TupleRow]


class Database:
    """A pool that hands out transactions. Domain functions take the `Connection` and never commit."""

    def __init__(
        self, url: str, *, size: int = 8, statement_timeout_ms: int = 60_000, name: str = "perigee"
    ) -> None:
        self.url = url
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=size,
            open=False,
            kwargs={"autocommit": True, "application_name": name},
            configure=self._configure,
            timeout=20,
            max_lifetime=3600,
        )
        self._statement_timeout_ms = statement_timeout_ms

    async def _configure(self, connection: Connection) -> None:
        await connection.execute(
            "select set_config('statement_timeout', %s, false), set_config('timezone', 'UTC', false), "
            "set_config('lock_timeout', '20s', false), "
            "set_config('idle_in_transaction_session_timeout', '60s', false)",
            [str(self._statement_timeout_ms)],
        )

    async def open(self) -> None:
        await self._pool.open(wait=True, timeout=20)

    async def close(self) -> None:
        await self._pool.close()

    async def __aenter__(self) -> Database:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection in autocommit mode: for single reads."""
        async with self._pool.connection() as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One request or job, one transaction: commits at the end, rolls back on any error."""
        async with self._pool.connection() as connection, connection.transaction():
            yield connection
