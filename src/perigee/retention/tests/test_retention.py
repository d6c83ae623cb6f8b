"""Old months go, writers go on, crashes leave nothing."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from perigee.db import partitions
from perigee.retention import old_months, work
from perigee.retention.rules import first_kept, months_made
from perigee.retention.tests.conftest import NOW, Store
from perigee.settings import Settings
from perigee.testing.api import SETTINGS

KEEP_TWO = replace(SETTINGS, keep_event_months=2)
OLD = datetime(2026, 8, 31, 23, 59, 59, 999999, tzinfo=UTC)
FIRST_KEPT = datetime(2026, 9, 1, tzinfo=UTC)


async def gone(store: Store, settings: Settings = KEEP_TWO) -> list[str]:
    return await work.run(store.database, settings, NOW)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(old_months, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(old_months, "TRIES", 2)
    monkeypatch.setattr(old_months, "PATIENCE", "10ms")


async def test_what_happened_before_the_months_that_are_kept_goes_with_its_partitions(store: Store) -> None:
    await store.happen(OLD, FIRST_KEPT, NOW)
    dropped = await gone(store)
    assert dropped[-1] == "event_2026_08"
    assert await store.moments() == [FIRST_KEPT, NOW]
    assert (await store.months())[0] == "event_2026_09"
    assert await gone(store) == []


async def test_what_is_kept_for_ever_stays(store: Store) -> None:
    await store.happen(OLD)
    assert await gone(store, replace(SETTINGS, keep_event_months=0)) == []
    assert await store.moments() == [OLD]


async def test_rows_outside_the_months_go_too_chunk_by_chunk(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(old_months, "CHUNK", 2)
    ancient = [datetime(2020, 1, day, tzinfo=UTC) for day in range(1, 6)]
    later = NOW + timedelta(days=3650)
    await store.happen(*ancient, later)
    await gone(store)
    assert await store.moments() == [later]


async def test_activity_and_deliveries_have_their_own_months(store: Store) -> None:
    async with store.database.transaction() as conn:
        await partitions.ensure(conn, OLD)
        await conn.execute(
            "insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status) "
            "values (%s, %s, 1, 1, 1, 'email', 'READ')",
            [store.org_id, OLD],
        )
        await conn.execute(
            "insert into delivery (org_id, send_started_at, send_id, ordinal, contact_id, outcome, at) "
            "values (%s, %s, 1, 1, 1, 'sent', %s)",
            [store.org_id, OLD, OLD],
        )
    await gone(store, replace(SETTINGS, keep_activity_months=2, keep_delivery_months=3))
    assert await store.rows("select count(*) from activity") == [(0,)]
    assert await store.rows("select count(*) from delivery") == [(1,)]
    assert "activity_2026_08" not in await store.months("activity")
    assert "delivery_2026_08" in await store.months("delivery")


async def test_months_that_are_gone_are_not_made_again(store: Store) -> None:
    await gone(store)
    async with store.database.transaction() as conn:
        assert await partitions.ensure(conn, NOW, months_made(KEEP_TWO)) == []


async def test_a_month_goes_while_a_writer_holds_its_transaction_open_and_others_write_on(
    store: Store,
) -> None:
    await store.happen(OLD)
    async with (
        await psycopg.AsyncConnection.connect(store.url) as writer,
        await psycopg.AsyncConnection.connect(store.url, autocommit=True) as other,
    ):
        await other.execute("set lock_timeout = '5s'")
        await store.insert(writer, NOW)  # not committed: holds the table all the time
        assert await gone(store) == []
        assert await store.moments() == []  # the rows are gone all the same
        await store.insert(other, NOW)
        await writer.commit()
    assert "event_2026_08" in await gone(store)
    assert await store.moments() == [NOW, NOW]


async def test_who_writes_does_not_wait_behind_the_drop_that_waits(store: Store) -> None:
    """The drop asks for its lock while a transaction is open; what queues up behind it is served when it gives up."""
    async with (
        await psycopg.AsyncConnection.connect(store.url) as writer,
        await psycopg.AsyncConnection.connect(store.url, autocommit=True) as other,
    ):
        await store.insert(writer, NOW)
        await other.execute("set lock_timeout = '5s'")
        assert await gone(store) == []
        for _ in range(3):
            await store.insert(other, NOW)
        held = await store.rows(
            "select count(*) from pg_locks where mode = 'AccessExclusiveLock' and relation = 'event'::regclass"
        )
        assert held == [(0,)]


async def test_a_reader_of_the_old_month_is_not_disturbed_and_the_month_goes_when_it_is_done(
    store: Store,
) -> None:
    await store.happen(OLD)
    async with await psycopg.AsyncConnection.connect(store.url) as reader:
        await reader.execute("select count(*) from event where org_id = %s", [store.org_id])
        await gone(store)
        assert await store.moments() == [OLD]
        found = await (await reader.execute("select count(*) from event")).fetchone()
        assert found == (1,)
    assert "event_2026_08" in await gone(store)


async def test_a_crash_between_the_steps_is_finished_by_the_next_round(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.happen(OLD, NOW)

    drop = old_months._dropped

    async def crash(database: Any, table: str, name: str) -> bool:
        if name == "event_2026_08":
            raise RuntimeError("the power is off")
        return await drop(database, table, name)

    with monkeypatch.context() as broken:
        broken.setattr(old_months, "_dropped", crash)
        with pytest.raises(RuntimeError):
            await gone(store)
    assert await store.moments() == [NOW]
    assert "event_2026_08" in await store.months()
    assert "event_2026_08" in await gone(store)
    assert await store.moments() == [NOW]


async def test_a_row_that_came_between_the_steps_is_not_dropped_unseen(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.happen(OLD)
    settings = replace(KEEP_TWO, keep_export_folder=str(tmp_path))
    drop = old_months._dropped

    async def late(database: Any, table: str, name: str) -> bool:
        if name == "event_2026_08":
            await store.happen(OLD)
        return await drop(database, table, name)

    with monkeypatch.context() as slow:
        slow.setattr(old_months, "_dropped", late)
        assert "event_2026_08" not in await gone(store, settings)
    assert await store.moments() == [OLD]
    assert "event_2026_08" in await gone(store, settings)
    assert names(tmp_path) == [
        "event_2026_08.2.csv.gz",
        "event_2026_08.csv.gz",
    ]


async def test_months_are_exported_before_they_go(store: Store, tmp_path: Path) -> None:
    await store.happen(*[OLD - timedelta(minutes=n) for n in range(12)], NOW)
    folder = tmp_path / "old"
    await gone(store, replace(KEEP_TWO, keep_export_folder=str(folder)))
    assert names(folder) == ["event_2026_08.csv.gz"]
    file = folder / "event_2026_08.csv.gz"
    rows = list(csv.DictReader(io.StringIO(gzip.decompress(file.read_bytes()).decode())))
    assert len(rows) == 12
    assert rows[0]["org_id"] == str(store.org_id)
    assert rows[0]["params"] == '{"a": "Їжа"}'
    assert file.stat().st_mode & 0o077 == 0


async def test_an_export_that_fails_keeps_the_rows(store: Store, tmp_path: Path) -> None:
    await store.happen(OLD)
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    with pytest.raises(FileExistsError):
        await gone(store, replace(KEEP_TWO, keep_export_folder=str(blocked)))
    assert await store.moments() == [OLD]


async def test_a_month_in_use_leaves_no_file(store: Store, tmp_path: Path) -> None:
    await store.happen(OLD)
    async with await psycopg.AsyncConnection.connect(store.url) as reader:
        await reader.execute("select count(*) from event")
        await gone(store, replace(KEEP_TWO, keep_export_folder=str(tmp_path)))
    assert names(tmp_path) == []
    assert await store.moments() == [OLD]


async def test_one_process_at_a_time(store: Store) -> None:
    async with store.database.connection() as other:
        await other.execute("select pg_advisory_lock(hashtext('perigee retention'))")
        assert await gone(store) == []
        await other.execute("select pg_advisory_unlock(hashtext('perigee retention'))")
    assert await gone(store) != []


async def test_old_orders_go_with_their_items_and_the_figures_of_their_contacts_follow(store: Store) -> None:
    async with store.database.transaction() as conn:
        await conn.execute("insert into contact (org_id, contact_id) values (%s, 5)", [store.org_id])
        for number, at in enumerate((OLD, FIRST_KEPT)):
            await conn.execute(
                "with made as (insert into orders (org_id, external_order_id, contact_id, status, total, currency, ordered_at) "
                "select org_id, %s, 5, 'DELIVERED', 10, currency, %s from organisation where org_id = %s returning *) "
                "insert into order_item (org_id, order_id, position, external_item_id, quantity) "
                "select org_id, order_id, 1, 'SKU', 1 from made",
                [f"SO-{number}", at, store.org_id],
            )
    await gone(store, replace(SETTINGS, keep_order_months=2))
    assert await store.rows("select external_order_id from orders") == [("SO-1",)]
    assert await store.rows("select count(*) from order_item") == [(1,)]
    assert await store.rows("select orders, total, first_at from contact_orders") == [(1, 10, FIRST_KEPT)]


def test_the_first_kept_instant_is_the_start_of_a_month() -> None:
    assert first_kept(2, NOW) == FIRST_KEPT
    assert first_kept(24, NOW) == datetime(2024, 11, 1, tzinfo=UTC)
    assert first_kept(0, NOW) is None
