"""A database that restarts is one line in the log of each process."""

from __future__ import annotations

import logging

import pytest

from perigee.db.outage_log import QUIET_SECONDS, OncePerOutage, gather_outages
from perigee.db.pool import Database


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def record(text: str, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord("psycopg.pool", logging.WARNING, "", 0, text, arguments, None)


def test_one_line_per_outage() -> None:
    clock = Clock()
    once = OncePerOutage(clock)
    first = record("error connecting in %r: %s", "pool-1", "connection refused")
    assert once.filter(first)
    assert first.getMessage() == "the database is away: error connecting in 'pool-1': connection refused"
    for _ in range(100):  # a long one: each line shows that it is not over
        clock.now += QUIET_SECONDS / 2
        assert not once.filter(record("discarding closed connection: %s", "x"))
    clock.now += QUIET_SECONDS + 1
    assert once.filter(record("discarding closed connection: %s", "x")), "the next outage"


def test_warnings_about_our_own_faults_stay() -> None:
    once = OncePerOutage(Clock())
    once.filter(record("error connecting in %r: %s", "pool-1", "connection refused"))
    assert once.filter(record("rolling back returned connection: %s", "x"))
    assert once.filter(record("task run %s failed: %s: %s", "a", "b", "c"))


async def test_a_restart_under_a_pool_is_one_line(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("psycopg.pool")
    before = logger.filters[:]
    try:
        gather_outages()
        async with Database(database_url, size=4) as database:
            async with database.connection() as a, database.connection() as b, database.connection() as c:
                pids = [each.info.backend_pid for each in (a, b, c)]
            async with database.connection() as killer:
                mine = killer.info.backend_pid
                others = [pid for pid in pids if pid != mine]
                await killer.execute("select pg_terminate_backend(p) from unnest(%s::int[]) p", [others])
            await database._pool.check()
            async with database.connection() as connection:
                await connection.execute("select 1")
        told = [line for line in caplog.records if line.name == "psycopg.pool"]
        assert len(told) == 1
        assert told[0].getMessage().startswith("the database is away: ")
    finally:
        logger.filters[:] = before
