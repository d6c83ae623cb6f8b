"""An organisation with a type of events, and the months around a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from perigee.accounts.bootstrap import create_organisation
from perigee.db import partitions
from perigee.db.pool import Database
from perigee.keys import Keys
from perigee.testing.api import SETTINGS

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass
class Store:
    database: Database
    url: str
    org_id: int
    type_id: int

    async def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        async with self.database.connection() as conn:
            return await (await conn.execute(query, {"org_id": self.org_id, **values})).fetchall()

    async def happen(self, *moments: datetime) -> None:
        async with self.database.transaction() as conn:
            for at in moments:
                await self.insert(conn, at)

    async def insert(self, conn: psycopg.AsyncConnection[Any], at: datetime) -> None:
        await conn.execute(
            'insert into event (org_id, occurred_at, event_type_id, params) values (%s, %s, %s, \'{"a": "Їжа"}\')',
            [self.org_id, at, self.type_id],
        )

    async def moments(self) -> list[datetime]:
        return [at for (at,) in await self.rows("select occurred_at from event order by 1")]

    async def months(self, table: str = "event") -> list[str]:
        found = await self.rows(
            "select c.relname from pg_inherits join pg_class c on c.oid = inhrelid "
            "where inhparent = %(table)s::regclass order by 1",
            table=table,
        )
        return [name for (name,) in found if name != f"{table}_default"]


@pytest.fixture
async def store(db: Database, database_url: str) -> Store:
    async with db.transaction() as conn:
        await partitions.ensure(conn, NOW)
        org_id, _ = await create_organisation(
            conn, Keys.from_settings(SETTINGS), name="Shop", owner="owner@example.com"
        )
        row = await (
            await conn.execute(
                "insert into event_type (org_id, key, name) values (%s, 'view', 'View') returning event_type_id",
                [org_id],
            )
        ).fetchone()
    assert row is not None
    return Store(db, database_url, org_id, row[0])
