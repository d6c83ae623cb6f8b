"""Months are there before they are needed, and take what came before them."""

from __future__ import annotations

from datetime import UTC, datetime

from perigee.db import partitions
from perigee.db.pool import Database

NOW = datetime(2026, 11, 24, tzinfo=UTC)


async def test_the_current_month_those_before_and_three_ahead_are_made_once(db: Database) -> None:
    async with db.transaction() as conn:
        made = await partitions.ensure(conn, NOW)
        assert await partitions.ensure(conn, NOW) == []
    assert len(made) == 28 + 5 + 5
    assert {"event_2024_11", "event_2027_02", "activity_2026_10", "delivery_2027_02"} <= set(made)


async def test_months_are_made_while_a_writer_holds_its_transaction_open(db: Database) -> None:
    async with db.transaction() as conn:
        await partitions.ensure(conn, NOW)
    async with db.transaction() as writer:
        await writer.execute(
            "insert into event (org_id, occurred_at, event_type_id) values (1, %s, 1)", [NOW]
        )
        async with db.transaction() as conn:
            assert "event_2027_03" in await partitions.ensure(conn, datetime(2026, 12, 1, tzinfo=UTC))


async def test_a_month_has_all_that_its_table_has(db: Database) -> None:
    async with db.transaction() as conn:
        await partitions.ensure(conn, NOW)
        parents = await (
            await conn.execute(
                "select p.relname, (select count(*) from pg_index where indrelid = p.oid), "
                "array_agg(distinct (select count(*) from pg_index i join pg_inherits h on h.inhrelid = i.indexrelid "
                "where i.indrelid = c.oid)) "
                "from pg_inherits h join pg_class p on p.oid = h.inhparent and p.relkind = 'p' "
                "join pg_class c on c.oid = h.inhrelid group by p.oid, p.relname order by 1"
            )
        ).fetchall()
    assert [name for name, _, _ in parents] == ["activity", "delivery", "event"]
    assert all(each == [number] for _, number, each in parents)


async def test_what_came_before_its_month_moves_there_when_it_is_made(db: Database) -> None:
    moments = [
        datetime(2027, 3, 1, tzinfo=UTC),
        datetime(2027, 3, 31, 23, 59, tzinfo=UTC),
        datetime(2027, 4, 1, tzinfo=UTC),
    ]
    async with db.transaction() as conn:
        await partitions.ensure(conn, NOW)
        for at in moments:
            await conn.execute(
                "insert into event (org_id, occurred_at, event_type_id) values (1, %s, 1)", [at]
            )
    async with db.transaction() as conn:
        assert "event_2027_03" in await partitions.ensure(conn, datetime(2026, 12, 1, tzinfo=UTC))
        found = await (
            await conn.execute("select tableoid::regclass::text, occurred_at from event order by 2")
        ).fetchall()
    assert found == [
        ("event_2027_03", moments[0]),
        ("event_2027_03", moments[1]),
        ("event_default", moments[2]),
    ]
