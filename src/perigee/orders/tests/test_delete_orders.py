"""DELETE v1/orders (contract 17.2)."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.orders.delete import Period, delete_some
from perigee.orders.tests.conftest import UTC as ZONE
from perigee.orders.tests.conftest import Shop, wire_order
from perigee.testing.api import Api

PATH = "/api/v1/orders"


async def left(api: Api) -> list[str]:
    """Deletes what was asked for and tells what is left."""
    await api.run_jobs()
    return [
        row[0]
        for row in await api.rows("select external_order_id from orders where org_id = %(org_id)s order by 1")
    ]


async def fill(api: Api, *dates: str) -> None:
    """SO-0, SO-1 … of these dates, one item each."""
    item = {"externalItemId": "A", "quantity": 1}
    orders = [wire_order(f"SO-{n}", totalCost=1, date=date, items=[item]) for n, date in enumerate(dates)]
    assert (await api.post(PATH, {"orders": orders})).content == b""


async def test_one_order_with_its_items(api: Api) -> None:
    await fill(api, "2025-05-04T10:00Z", "2025-05-04T11:00Z")
    answer = await api.delete(PATH + "?externalOrderId=SO-0")
    assert (answer.status_code, answer.content) == (200, b"")
    assert await left(api) == ["SO-1"]
    assert await api.rows("select count(*) from order_item where org_id = %(org_id)s") == [(1,)]
    assert await api.rows("select orders, total from contact_orders where org_id = %(org_id)s") == [(1, 1)]


async def test_a_period_includes_both_ends(api: Api) -> None:
    await fill(
        api, "2025-05-04T09:59:59Z", "2025-05-04T10:00:00Z", "2025-05-04T12:00:00Z", "2025-05-04T12:00:01Z"
    )
    answer = await api.delete(PATH, params={"from": "2025-05-04T10:00:00", "to": "2025-05-04T12:00:00"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert await left(api) == ["SO-0", "SO-3"]


async def test_the_period_is_in_utc_whatever_the_organisations_zone(api: Api) -> None:
    await api.rows("update organisation set time_zone = 'Asia/Tokyo' where org_id = %(org_id)s")
    await fill(api, "2025-05-04T10:00:00Z")
    await api.delete(PATH, params={"from": "2025-05-04T09:00:00", "to": "2025-05-04T11:00:00"})
    assert await left(api) == []


async def test_an_unknown_order_is_no_error(api: Api) -> None:
    await fill(api, "2025-05-04T10:00:00Z")
    assert (await api.delete(PATH + "?externalOrderId=SO-9")).status_code == 200
    assert await left(api) == ["SO-0"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({}, "externalOrderId, or both from and to, is required"),
        ({"from": "2025-05-04T10:00:00"}, "externalOrderId, or both from and to, is required"),
        ({"externalOrderId": " "}, "externalOrderId, or both from and to, is required"),
        ({"from": "2025-05-04", "to": "2025-05-05"}, "from: '2025-05-04' is not a UTC date with time"),
        ({"from": "2025-05-04T10:00:00", "to": "2025-13-05T10:00:00"}, "to: '2025-13-05T10:00:00' is not"),
        ({"from": "2025-05-04T10:00:00", "to": "2025-05-04T10:00:00"}, "is not before to"),
        ({"from": "2025-05-05T10:00:00", "to": "2025-05-04T10:00:00"}, "is not before to"),
        ({"from": "2025-05-04T10:00:00", "to": "2025-05-05T10:00:01"}, "is more than 24 hours"),
    ],
)
async def test_refusals_delete_nothing(api: Api, query: dict[str, Any], words: str) -> None:
    await fill(api, "2025-05-04T10:00:00Z")
    answer = await api.delete(PATH, params=query)
    assert answer.status_code == 400
    assert words in answer.json()["message"]
    assert await left(api) == ["SO-0"]


async def test_a_period_goes_in_bounded_steps(shop: Shop) -> None:
    await shop.store(*(wire_order(f"SO-{n}") for n in range(5)))
    (order,) = {
        row["ordered_at"]
        for row in await shop.rows("select ordered_at from orders where org_id = %(org_id)s")
    }
    period = Period(order.astimezone(ZONE), order)
    steps = []
    for _ in range(4):
        async with shop.db.transaction() as conn:
            steps.append(await delete_some(conn, shop.org_id, period, limit=2))
    assert steps == [2, 2, 1, 0]
    assert (await shop.facts("CRM-1"))["orders"] == 0
