"""Pages are read along the right index, whatever the statistics say (db/plans.py)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from psycopg import AsyncClientCursor

from perigee.db import plans
from perigee.db.pool import Connection, Database
from perigee.reports.store import q
from perigee.reports.tests.conftest import START, Books


async def plan(conn: Connection, text: str, **values: Any) -> str:
    query = AsyncClientCursor(conn).mogrify(text, values)
    rows = await (await conn.execute(f"explain (costs off) {query}".encode())).fetchall()
    return "\n".join(row[0] for row in rows)


def indexes(found: str) -> set[str]:
    """Columns of the indexes of the months' tables, as PostgreSQL names them."""
    return set(re.findall(r"using (?:activity|delivery)_(?:\d{4}_\d{2}|default)_(\w+) on", found))


@pytest.fixture
async def busy(books: Books) -> Books:
    """Enough rows that reading them all costs more than following an index, and statistics of them."""
    await books.sql(
        "insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status)"
        " select %(org)s, %(at)s + n * interval '1 second', 1 + n %% 7, n, n, 'email',"
        " case when n %% 4 = 0 then 'READ' else 'DELIVERED' end from generate_series(1, 5000) n",
        at=START,
    )
    await books.sql("analyze activity")
    return books


@pytest.mark.parametrize(
    ("status", "sends", "index"),
    [
        (None, None, "pkey"),
        ("DELIVERED", None, "pkey"),
        (None, [3, 5], "pkey"),
        ("READ", None, "org_id_status_at_activity_id_idx"),
    ],
)
async def test_a_page_of_the_feed_follows_an_index_in_order(
    busy: Books, db: Database, status: str | None, sends: list[int] | None, index: str
) -> None:
    async with db.transaction() as conn:
        await conn.execute(q.plan_in_order)
        found = await plan(
            conn,
            q.activity,
            org_id=busy.org_id,
            after_at=START,
            after_id=-1,
            until=START + timedelta(days=20),
            status=status,
            sends=sends,
            rows=1000,
        )
    assert indexes(found) == {index}
    assert not re.search(r"^\s*(->)?\s*Sort\b|Seq Scan|Bitmap", found, re.MULTILINE), found


async def test_the_rows_of_a_person_are_found_by_person(busy: Books, db: Database) -> None:
    async with db.transaction() as conn:
        await plans.by_key(conn)
        found = await plan(
            conn,
            q.activity_of_contacts,
            org_id=busy.org_id,
            contacts=[7],
            after_at=START,
            after_id=-1,
            until=START + timedelta(days=20),
            status=None,
            sends=None,
            channels=["email"],
            address="anna@example.com",
            rows=1000,
        )
    assert indexes(found) == {"org_id_contact_id_at_idx", "pkey"}
    assert "Seq Scan" not in found
