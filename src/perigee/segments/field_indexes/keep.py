"""Builds and drops the indexes, by one worker at a time, without holding writers up.

PostgreSQL builds and drops them `concurrently`: nobody waits for that, it waits for the others. It does so for a few
seconds only; when somebody's transaction stays open longer, what there is of the index is dropped and the next try comes
ten minutes later. When an index became unwanted is its comment, so that the state is nowhere but with the index itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from psycopg import AsyncConnection, sql
from psycopg import errors as pg

from perigee.db.pool import Connection, Database
from perigee.db.queries import load
from perigee.segments.field_indexes.wanted import FieldIndex, Standing, Steps, steps, wanted
from perigee.segments.live import plans
from perigee.settings import Settings

log = structlog.get_logger()
q = load(__package__)

SECONDS = 60.0
REST = timedelta(minutes=10)
"""How long nothing is tried after a try that failed."""
PATIENCE = "5s"
"""How long a step waits for one transaction of somebody else."""
LONGEST = "2h"
_LOCK = "hashtext('perigee field indexes')"


class FieldIndexes:
    def __init__(self, database: Database, settings: Settings, *, patience: str = PATIENCE) -> None:
        self._database = database
        self._most = settings.field_indexes
        self._contacts = settings.field_index_contacts
        self._patience = patience
        self._rests_until: datetime | None = None

    async def turn(self, now: datetime) -> None:
        """One look at all organisations. Does nothing while another process is at it, or resting after a failure.

        It has a connection of its own, whose end frees the lock, and no transaction around its steps.
        """
        if self._rests_until is not None and now < self._rests_until:
            return
        self._rests_until = None
        async with await AsyncConnection.connect(
            self._database.url, autocommit=True, application_name="perigee field indexes"
        ) as conn:
            await conn.execute(
                "select set_config('lock_timeout', %s, false), set_config('statement_timeout', %s, false)",
                [self._patience, LONGEST],
            )
            row = await (await conn.execute(f"select pg_try_advisory_lock({_LOCK})".encode())).fetchone()
            if row and row[0]:
                standing = await _standing(conn)
                wishes = await self._wishes({one.name for one in standing}, now)
                await self._take(conn, steps(wishes, standing, self._most, now), now)

    async def _wishes(self, standing: set[str], now: datetime) -> list[FieldIndex]:
        async with self._database.connection() as conn:
            cursor = await conn.execute(q.large_organisations, {"contacts": self._contacts})
            organisations = [row[0] for row in await cursor.fetchall()]
        found: list[FieldIndex] = []
        for org_id in organisations:
            async with self._database.transaction() as conn:
                known = await plans.load(conn, org_id, 0, now)
            trees = [plan.tree for plan in known.plans.values()]
            found += wanted(org_id, trees, known.world(now).catalogue, self._most, standing)
        return found

    async def _take(self, conn: Connection, todo: Steps, now: datetime) -> None:
        for name in todo.unwanted:
            await self._try(conn, _comment(name, now.isoformat()), now)
        for name in todo.wanted_again:
            await self._try(conn, _comment(name, None), now)
        for name in todo.drop:
            await self._try(conn, _drop(name), now)
        built = [index.name for index in todo.build if await self._build(conn, index, now)]
        if built:
            # The planner knows how an expression's values are spread only by an index of it, and only from then on.
            await self._try(conn, sql.SQL("analyze contact"), now)
            log.info("indexes of additional fields built", indexes=built)

    async def _build(self, conn: Connection, index: FieldIndex, now: datetime) -> bool:
        if await self._try(conn, sql.SQL(index.statement), now):
            return True
        await self._try(conn, _drop(index.name), now)
        return False

    async def _try(self, conn: Connection, statement: sql.SQL | sql.Composed, now: datetime) -> bool:
        """False when it failed: that is logged, and the next turn rests."""
        try:
            await conn.execute(statement)
        except pg.Error as error:
            if conn.broken:
                raise
            self._rests_until = now + REST
            log.warning(
                "an index of an additional field must wait",
                statement=statement.as_string(None),
                error=str(error).split("\n")[0],
            )
            return False
        return True


async def _standing(conn: Connection) -> list[Standing]:
    rows = await (await conn.execute(q.standing_indexes)).fetchall()
    return [Standing(name, valid, _since(comment)) for name, valid, comment in rows]


def _since(comment: str | None) -> datetime | None:
    """None for whatever else somebody has written there."""
    try:
        found = datetime.fromisoformat(comment or "")
    except ValueError:
        return None
    return found if found.tzinfo else None


def _comment(name: str, text: str | None) -> sql.Composed:
    return sql.SQL("comment on index {} is {}").format(sql.Identifier(name), sql.Literal(text))


def _drop(name: str) -> sql.Composed:
    return sql.SQL("drop index concurrently if exists {}").format(sql.Identifier(name))
