"""The pool when the server goes away and comes back."""

from __future__ import annotations

import asyncio
import contextlib

import psycopg
from psycopg import errors as pg

from perigee.db.pool import Database


def disconnect_everybody(database_url: str) -> None:
    """As a restart of the server does."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )


async def fill(db: Database, size: int) -> None:
    """Makes the pool hold so many idle connections."""
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(size):
            await stack.enter_async_context(db.connection())


async def ask(db: Database) -> bool:
    try:
        async with db.transaction() as connection:
            await connection.execute("select 1")
    except pg.OperationalError:
        return False
    return True


async def test_after_a_restart_of_the_server_one_request_fails_and_not_one_per_connection(
    db: Database, database_url: str
) -> None:
    await fill(db, 8)
    disconnect_everybody(database_url)
    answers = []
    for _ in range(12):
        answers.append(await ask(db))
        await asyncio.sleep(0)
    assert answers == [False, *[True] * 11]
