"""Inboxes are written and cut by key, also where the planner knows nothing of the table yet (decision 3)."""

from __future__ import annotations

from psycopg import sql

from perigee.appinbox.store import q
from perigee.db import plans
from perigee.db.pool import Database

FILL = """
alter table inbox_message set (autovacuum_enabled = off);
insert into inbox_message (org_id, send_id, ordinal, contact_id, inbox_id, title, content, expires_at)
select 1, 1, n, n, gen_random_uuid(), 'A gift', '', now() + interval '1 day' from generate_series(1, 3000) n;
"""


async def test_cutting_inboxes_reads_only_these(db: Database) -> None:
    values = {"org_id": 1, "contacts": [1, 2, 3], "keep": 1000}
    text = sql.SQL("explain (costs off) ") + sql.SQL(q.trim_inboxes)
    async with db.connection() as conn:
        await conn.execute(FILL)
    async with db.transaction() as conn:
        await plans.by_key(conn)
        rows = await (await conn.execute(text, values)).fetchall()
    conditions = [row[0] for row in rows if "Index Cond" in row[0]]
    assert len(conditions) == 2
    assert all("contact_id" in condition for condition in conditions)
    assert not any("Seq Scan" in row[0] or "Join Filter" in row[0] for row in rows)
