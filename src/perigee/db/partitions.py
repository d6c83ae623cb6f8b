"""Monthly partitions of the append-only tables, kept ahead of time.

`ensure` is called by every migration and daily by a job. A month is created only while the default partition
holds nothing of it, so it never has to move rows; rows that came too late or too early stay in the default.
"""

from __future__ import annotations

from datetime import UTC, datetime

from psycopg import sql

from perigee.db.pool import Connection

AHEAD = 3
"""Months kept ready after the current one."""

# Table → months kept ready before the current one. Past events may be two years old (contract 16.4).
TABLES = {"event": 24, "delivery": 1, "activity": 1}


def months(now: datetime, back: int, ahead: int) -> list[tuple[datetime, datetime]]:
    """First instants of each month and of the next, UTC."""
    first = now.astimezone(UTC).year * 12 + now.astimezone(UTC).month - 1

    def start(number: int) -> datetime:
        return datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)

    return [(start(n), start(n + 1)) for n in range(first - back, first + ahead + 1)]


async def ensure(connection: Connection, now: datetime) -> list[str]:
    """Creates the missing partitions and returns their names. Processes that do it at once take turns."""
    await connection.execute("select pg_advisory_xact_lock(hashtext('perigee partitions'))")
    existing = {
        name
        for (name,) in await (
            await connection.execute("select relname from pg_class where relispartition and relkind = 'r'")
        ).fetchall()
    }
    created = []
    for table, back in TABLES.items():
        for low, high in months(now, back, AHEAD):
            name = f"{table}_{low:%Y_%m}"
            if name not in existing:
                await connection.execute(
                    sql.SQL("create table {} partition of {} for values from ({}) to ({})").format(
                        sql.Identifier(name), sql.Identifier(table), sql.Literal(low), sql.Literal(high)
                    )
                )
                created.append(name)
    return created
