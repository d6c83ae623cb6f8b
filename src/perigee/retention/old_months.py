"""Old months leave without anybody waiting for them.

PostgreSQL can detach a partition beside its writers only where the table has no default partition, and ours have one
for what falls outside the months. So a month goes in two steps:

1. It is emptied: TRUNCATE takes a lock on the one partition, which writers of other months never touch.
2. The empty table is dropped. That takes a lock on the parent for some milliseconds. Who holds one is not waited for
   longer than `PATIENCE`, the longest that a writer behind us can be held up; the next round tries again.

Each step is a transaction, and what a crash leaves is an empty month, which the next round drops.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path

import structlog
from psycopg import errors, sql

from perigee.db.pool import Connection, Database
from perigee.retention.export import exported

log = structlog.get_logger()

PATIENCE = "100ms"
TRIES = 5
PAUSE_SECONDS = 0.2
CHUNK = 10_000
"""Rows of the default partition that go in one transaction."""


async def drop_before(
    database: Database, table: str, column: str, first: datetime, *, folder: Path | None = None
) -> list[str]:
    """Drops the months that end before `first`, oldest first, and what the default partition has of them.

    `folder`: where each month's rows are written to before. Returns the names of the months that are gone; those that
    somebody is reading or writing stay until the next call.
    """
    dropped = []
    for name in await _months_before(database, table, first):
        if await _emptied(database, name, folder) and await _dropped(database, table, name):
            log.info("an old month is gone", table=table, month=name)
            dropped.append(name)
    await _delete_strays(database, table, column, first)
    return dropped


async def _months_before(database: Database, table: str, first: datetime) -> list[str]:
    async with database.connection() as conn:
        rows = await (
            await conn.execute(
                "select child.relname from pg_inherits join pg_class child on child.oid = inhrelid "
                "where inhparent = %s::regclass order by child.relname",
                [table],
            )
        ).fetchall()
    named = [(name, re.fullmatch(rf"{table}_(\d{{4}})_(\d\d)", name)) for (name,) in rows]
    return [
        name
        for name, found in named
        if found and datetime(int(found[1]), int(found[2]), 1, tzinfo=UTC) < first
    ]


async def _emptied(database: Database, name: str, folder: Path | None) -> bool:
    try:
        async with database.transaction() as conn:
            if not await _has_rows(conn, name):
                return True
            await conn.execute(f"set local lock_timeout = '{PATIENCE}'")
            await conn.execute("set local statement_timeout = 0")
            if folder is None:
                await _truncate(conn, name)
                return True
            # Nobody adds a row between its copy and its end; who reads the month goes on reading.
            await conn.execute(sql.SQL("lock table {} in share mode").format(sql.Identifier(name)))
            async with exported(conn, name, folder):
                await _truncate(conn, name)
            return True
    except errors.LockNotAvailable:
        log.info("an old month is in use and stays for now", month=name)
        return False


async def _truncate(conn: Connection, name: str) -> None:
    for attempt in range(TRIES):
        try:
            async with conn.transaction():
                await conn.execute(sql.SQL("truncate {}").format(sql.Identifier(name)))
            return
        except errors.LockNotAvailable:
            if attempt == TRIES - 1:
                raise
        await asyncio.sleep(PAUSE_SECONDS)


async def _dropped(database: Database, table: str, name: str) -> bool:
    for _ in range(TRIES):
        try:
            async with database.transaction() as conn:
                await conn.execute(f"set local lock_timeout = '{PATIENCE}'")
                await conn.execute(
                    sql.SQL("lock table {} in access exclusive mode").format(sql.Identifier(table))
                )
                if await _has_rows(conn, name):  # one came since; the next round empties the month again
                    return False
                await conn.execute(sql.SQL("drop table {}").format(sql.Identifier(name)))
            return True
        except errors.LockNotAvailable:
            await asyncio.sleep(PAUSE_SECONDS)
    log.info("an old month is empty and will be dropped later, its table is in use", month=name)
    return False


async def _has_rows(conn: Connection, name: str) -> bool:
    row = await (
        await conn.execute(sql.SQL("select exists (select from {})").format(sql.Identifier(name)))
    ).fetchone()
    return bool(row and row[0])


async def _delete_strays(database: Database, table: str, column: str, first: datetime) -> None:
    statement = sql.SQL(
        "delete from {default} where ctid = any(array(select ctid from {default} where {column} < %s limit %s))"
    ).format(default=sql.Identifier(f"{table}_default"), column=sql.Identifier(column))
    gone = CHUNK
    while gone == CHUNK:
        async with database.transaction() as conn:
            gone = (await conn.execute(statement, [first, CHUNK])).rowcount
