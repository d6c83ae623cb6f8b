"""An organisation to put people into, and short ways to write and read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from psycopg.rows import dict_row

from perigee.contacts.policy import ADD_OR_UPDATE, Policy
from perigee.contacts.rows import ContactRow
from perigee.contacts.upsert import Done, Result, upsert
from perigee.db.group_commit import run_set
from perigee.db.pool import Connection, Database
from perigee.errors import PerigeeError


class People:
    """Upserts of an organisation, each set in its own transaction."""

    def __init__(self, db: Database, org_id: int) -> None:
        self.db = db
        self.org_id = org_id

    async def write(self, rows: Sequence[ContactRow], policy: Policy = ADD_OR_UPDATE) -> list[Result]:
        async def apply(conn: Connection, org_id: int, items: Sequence[ContactRow]) -> list[Result]:
            return await upsert(conn, org_id, items, policy)

        results: list[Result] = []
        for result in await run_set(self.db, apply, self.org_id, rows):
            assert isinstance(result, Done | PerigeeError)
            results.append(result)
        return results

    async def one(self, policy: Policy = ADD_OR_UPDATE, **columns: Any) -> Done:
        (result,) = await self.write([ContactRow(**columns)], policy)
        assert isinstance(result, Done), result
        return result

    async def stored(self, contact_id: int) -> dict[str, Any]:
        (row,) = await self.rows(
            "select * from contact where org_id = %(org_id)s and contact_id = %(id)s", id=contact_id
        )
        return row

    async def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        async with self.db.connection() as conn, conn.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query.encode(), {"org_id": self.org_id, **values})
            return await cursor.fetchall()

    async def execute(self, query: str, **values: Any) -> None:
        async with self.db.connection() as conn:
            await conn.execute(query.encode(), {"org_id": self.org_id, **values})

    async def delete(self, contact_id: int) -> None:
        await self.execute(
            "update contact set deleted_at = now() where org_id = %(org_id)s and contact_id = %(id)s",
            id=contact_id,
        )

    async def count(self) -> int:
        (row,) = await self.rows("select count(*) as n from contact where org_id = %(org_id)s")
        return int(row["n"])

    async def another(self) -> People:
        """Of a new organisation in the same database."""
        return await make_people(self.db)


async def make_people(db: Database) -> People:
    async with db.connection() as conn:
        cursor = await conn.execute("insert into organisation (name) values ('Shop') returning org_id")
        row = await cursor.fetchone()
    assert row is not None
    return People(db, row[0])


@pytest.fixture
async def people(db: Database) -> People:
    return await make_people(db)
