"""The connection pool of a process, and the one way to open a transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

Connection = AsyncConnection[TupleRow]

RETRY_SECONDS = 1.0
"""The pool would look for a server that is away at ever longer intervals; we look so often, as long as it takes."""


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
            reconnect_timeout=RETRY_SECONDS,
            reconnect_failed=self._look_again,
        )
        self._check: asyncio.Task[None] | None = None
        self._statement_timeout_ms = statement_timeout_ms

    async def _configure(self, connection: Connection) -> None:
        await connection.execute(
            "select set_config('statement_timeout', %s, false), set_config('timezone', 'UTC', false), "
            "set_config('lock_timeout', '20s', false), "
            "set_config('idle_in_transaction_session_timeout', '60s', false)",
            [str(self._statement_timeout_ms)],
        )

    async def _look_again(self, pool: AsyncConnectionPool[Connection]) -> None:
        if not pool.closed:
            await pool.check()

    def _suspect(self) -> None:
        """One connection died: the idle ones are tried before anybody gets them, each would fail one request."""
        if self._check is None or self._check.done():
            self._check = asyncio.create_task(self._look_again(self._pool))

    async def open(self) -> None:
        await self._pool.open(wait=True, timeout=20)

    async def close(self) -> None:
        if self._check is not None:
            await asyncio.wait([self._check])
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
            try:
                yield connection
            finally:
                if connection.closed:
                    self._suspect()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One request or job, one transaction: commits at the end, rolls back on any error."""
        async with self.connection() as connection, connection.transaction():
            yield connection
