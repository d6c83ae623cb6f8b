"""Tables that have just been filled are looked at, once."""

from __future__ import annotations

from perigee.db.pool import Database
from perigee.db.statistics import refresh

FILL = "insert into segment_member (org_id, segment_id, contact_id) select 1, 2, generate_series(1, 20000)"


async def known(db: Database) -> float:
    async with db.connection() as conn:
        row = await (
            await conn.execute("select reltuples from pg_class where relname = 'segment_member'")
        ).fetchone()
    assert row is not None
    return float(row[0])


async def test_a_table_that_was_filled_is_looked_at_once(db: Database) -> None:
    async with db.connection() as conn:
        await conn.execute("alter table segment_member set (autovacuum_enabled = off)")
        await conn.execute(FILL)
    assert await known(db) == -1
    assert await refresh(db) == ["segment_member"]
    assert await known(db) == 20_000
    assert await refresh(db) == []


async def test_a_little_more_is_no_reason(db: Database) -> None:
    async with db.connection() as conn:
        await conn.execute("alter table segment_member set (autovacuum_enabled = off)")
        await conn.execute(FILL)
        await refresh(db)
        await conn.execute("insert into segment_member (org_id, segment_id, contact_id) values (1, 3, 1)")
    assert await refresh(db) == []


async def test_a_table_that_another_is_at_is_left_to_it(db: Database) -> None:
    async with db.connection() as conn:
        await conn.execute("alter table segment_member set (autovacuum_enabled = off)")
        await conn.execute(FILL)
    async with db.transaction() as other:
        await other.execute(
            "select pg_advisory_xact_lock(hashtext('perigee statistics'), 'segment_member'::regclass::oid::int)"
        )
        assert await refresh(db) == []
    assert await refresh(db) == ["segment_member"]
