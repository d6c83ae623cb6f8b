"""The sales grid follows the order facts, and the days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from perigee.contacts.delete import delete_all
from perigee.orders.delete import delete_one
from perigee.orders.tests.conftest import Shop, shop, wire_order
from perigee.orders.upsert import set_statuses
from perigee.rfm import day
from perigee.rfm.cells import FREQUENCY_FROM, RECENCY_FROM, cell, columns, rows

__all__ = ["shop"]

TODAY = datetime(2025, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
async def grid(shop: Shop) -> Shop:
    """A shop whose grids stand on 1 June 2025."""
    await day.keep(shop.db, TODAY)
    return shop


async def cells(shop: Shop, grid: str = "sales") -> dict[str, tuple[int, int]]:
    found = await shop.rows(
        "select external_id, recency, frequency from contact_rfm join contact using (org_id, contact_id) "
        "where org_id = %(org_id)s and grid = %(grid)s",
        grid=grid,
    )
    return {row["external_id"]: (row["recency"], row["frequency"]) for row in found}


async def moves(shop: Shop) -> list[tuple[int, int, int, int]]:
    found = await shop.rows("select * from rfm_move where org_id = %(org_id)s order by move_id")
    return [
        (row["from_recency"], row["from_frequency"], row["to_recency"], row["to_frequency"]) for row in found
    ]


def order(number: int, days: int = 0, **members: Any) -> dict[str, Any]:
    return wire_order(f"SO-{number}", date=(TODAY - timedelta(days=days)).isoformat(), **members)


def test_columns_and_rows_of_product_9() -> None:
    assert [(one.first, one.last) for one in columns()] == [
        (0, 14),
        (15, 30),
        (31, 90),
        (91, 180),
        (181, 365),
        (366, None),
    ]
    assert [(one.first, one.last) for one in rows()] == [(1, 1), (2, 2), (3, 5), (6, 10), (11, None)]


async def test_every_border_is_where_the_pure_function_has_it(grid: Shop) -> None:
    """Days on both sides of each column's border, orders on both sides of each row's."""
    days = sorted({border + off for border in RECENCY_FROM for off in (-1, 0)} | {0, -3})
    times = sorted({border + off for border in FREQUENCY_FROM for off in (-1, 0)})
    orders = [
        order(n * 100 + k, days=far, externalCustomerId=f"D{far}")
        for n, far in enumerate(days)
        for k in range(times[n % len(times)])
    ]
    await grid.store(*orders)
    assert await cells(grid) == {f"D{far}": cell(far, times[n % len(times)]) for n, far in enumerate(days)}


async def test_only_delivered_orders_count(grid: Shop) -> None:
    await grid.store(order(1), order(2, status="CANCELLED"), order(3, status="IN_PROGRESS"))
    await grid.store(order(4, externalCustomerId="CRM-2", status="ABANDONED_SHOPPING_CART"))
    assert await cells(grid) == {"CRM-1": (1, 1)}


async def test_a_status_change_and_a_deletion_move_people(grid: Shop) -> None:
    await grid.store(order(1, days=40), order(2, days=1))
    async with grid.db.transaction() as conn:
        await set_statuses(conn, grid.org_id, [("SO-2", "CANCELLED")])
    assert await cells(grid) == {"CRM-1": (3, 1)}
    async with grid.db.transaction() as conn:
        await delete_one(conn, grid.org_id, "SO-1")
    assert await cells(grid) == {}
    assert await moves(grid) == [(1, 2, 3, 1)]


async def test_an_order_that_gets_another_owner_moves_both(grid: Shop) -> None:
    await grid.store(order(1), order(2))
    await grid.store(order(2, externalCustomerId="CRM-2"))
    assert await cells(grid) == {"CRM-1": (1, 1), "CRM-2": (1, 1)}


async def test_days_carry_people_into_later_columns(grid: Shop) -> None:
    await grid.store(order(1), order(2, days=14, externalCustomerId="CRM-2"))
    await day.keep(grid.db, TODAY + timedelta(days=1))
    assert await cells(grid) == {"CRM-1": (1, 1), "CRM-2": (2, 1)}
    await day.keep(grid.db, TODAY + timedelta(days=400))
    assert await cells(grid) == {"CRM-1": (6, 1), "CRM-2": (6, 1)}
    assert sorted(await moves(grid)) == [(1, 1, 2, 1), (1, 1, 6, 1), (2, 1, 6, 1)]


async def test_the_day_begins_at_the_organisations_midnight(grid: Shop) -> None:
    """21:30 UTC is the next day in Kyiv, in summer."""
    await grid.rows("update organisation set time_zone = 'Europe/Kyiv' where org_id = %(org_id)s returning 1")
    await grid.store(order(1, days=14))
    await day.keep(grid.db, datetime(2025, 6, 1, 20, 59, tzinfo=UTC))
    assert await cells(grid) == {"CRM-1": (1, 1)}
    await day.keep(grid.db, datetime(2025, 6, 1, 21, 30, tzinfo=UTC))
    assert await cells(grid) == {"CRM-1": (2, 1)}


async def test_a_chunk_at_a_time_reaches_everybody(grid: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day, "CHUNK", 2)
    await grid.store(*(order(n, days=n % 3, externalCustomerId=f"C{n}") for n in range(9)))
    await day.keep(grid.db, TODAY + timedelta(days=20))
    assert await cells(grid) == {f"C{n}": (2, 1) for n in range(9)}


async def test_a_clock_set_back_moves_nobody_back(grid: Shop) -> None:
    await grid.store(order(1))
    await day.keep(grid.db, TODAY + timedelta(days=20))
    await day.keep(grid.db, TODAY)
    assert await cells(grid) == {"CRM-1": (2, 1)}
    ((one),) = await grid.rows("select day from rfm_grid where org_id = %(org_id)s and grid = 'sales'")
    assert one["day"] == date(2025, 6, 21)


async def test_facts_from_before_the_grids_are_placed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day, "CHUNK", 2)
    await shop.store(*(order(n, externalCustomerId=f"C{n}") for n in range(5)))
    await shop.rows("delete from contact_rfm where org_id = %(org_id)s returning 1")
    await day.keep(shop.db, datetime.now(UTC))
    assert len(await cells(shop)) == 5
    assert await moves(shop) == []


async def test_who_is_erased_leaves_grid_and_moves(grid: Shop) -> None:
    await grid.store(order(1))
    await grid.store(order(2))
    (person,) = await grid.contacts()
    assert await moves(grid) == [(1, 1, 1, 2)]
    async with grid.db.transaction() as conn:
        await delete_all(conn, grid.org_id, [person["contact_id"]], erase=True)
    assert await grid.rows("select 1 from contact_rfm where org_id = %(org_id)s") == []
    assert await moves(grid) == []
