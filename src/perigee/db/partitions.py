"""Monthly partitions of the append-only tables, kept ahead of time.

`ensure` is called after every migration and by upkeep. What the default partition has of a month, because it came
before the month was made, moves there with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from psycopg import sql

from perigee.db.pool import Connection

AHEAD = 3
"""Months kept ready after the current one."""

PATIENCE = "2s"
"""For the lock on the default partition, behind which its readers wait; the next round of upkeep tries again."""

# Table → months kept ready before the current one. Past events may be two years old (contract 16.4).
TABLES = {"event": 24, "delivery": 1, "activity": 1}

COLUMNS = {"event": "occurred_at", "delivery": "send_started_at", "activity": "at"}
"""Which column says the month."""


def months(now: datetime, back: int, ahead: int) -> list[tuple[datetime, datetime]]:
    """First instants of each month and of the next, UTC."""
    first = now.astimezone(UTC).year * 12 + now.astimezone(UTC).month - 1

    def start(number: int) -> datetime:
        return datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)

    return [(start(n), start(n + 1)) for n in range(first - back, first + ahead + 1)]


async def ensure(connection: Connection, now: datetime, back: Mapping[str, int] = TABLES) -> list[str]:
    """Creates the missing partitions and returns their names. Processes that do it at once take turns.

    `back`: months before the current one, by table, where retention keeps fewer than `TABLES`.
    """
    await connection.execute("select pg_advisory_xact_lock(hashtext('perigee partitions'))")
    existing = {
        name
        for (name,) in await (
            await connection.execute("select relname from pg_class where relispartition and relkind = 'r'")
        ).fetchall()
    }
    created = []
    for table, number in back.items():
        for low, high in months(now, number, AHEAD):
            name = f"{table}_{low:%Y_%m}"
            if name not in existing:
                await _create(connection, table, name, low, high)
                created.append(name)
    return created


async def _create(connection: Connection, table: str, name: str, low: datetime, high: datetime) -> None:
    names = {
        "name": sql.Identifier(name),
        "parent": sql.Identifier(table),
        "default": sql.Identifier(f"{table}_default"),
        "moment": sql.Identifier(COLUMNS[table]),
        "low": sql.Literal(low),
        "high": sql.Literal(high),
    }
    for step in _STEPS:
        await connection.execute(sql.SQL(step).format(**names))


# `create table … partition of` would wait for every writer of the table, and others behind it; attaching does not.
_STEPS = (
    f"set local lock_timeout = '{PATIENCE}'",
    "create table {name} (like {parent} including all)",
    """
    with moved as (delete from {default} where {moment} >= {low} and {moment} < {high} returning *)
    insert into {name} select * from moved
    """,
    "alter table {parent} attach partition {name} for values from ({low}) to ({high})",
)
