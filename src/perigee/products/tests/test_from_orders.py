"""Orders make products known."""

from __future__ import annotations

from typing import Any

from perigee.testing.api import Api


def order(number: int, date: str, *items: dict[str, Any]) -> dict[str, Any]:
    return {
        "externalOrderId": f"SO-{number}",
        "email": "anna@example.com",
        "totalCost": 10,
        "status": "DELIVERED",
        "date": date,
        "currency": "EUR",
        "items": list(items),
    }


async def names(api: Api) -> list[Any]:
    return await api.rows(
        "select product_id, name, price, url, categories, source from product where org_id = %(org_id)s order by 1"
    )


async def test_the_items_of_orders_are_products(api: Api) -> None:
    mug = {
        "externalItemId": "SKU-1",
        "name": "Mug",
        "category": "Mugs",
        "quantity": 2,
        "cost": 5,
        "url": "https://shop.example.com/mug",
        "imageUrl": 7,
    }
    cup = {"externalItemId": "SKU-2", "quantity": 1}
    answer = await api.post("/api/v1/orders", {"orders": [order(1, "2025-05-04T10:00:00Z", mug, cup)]})
    assert (answer.status_code, answer.content) == (200, b"")
    assert await names(api) == [
        ("SKU-1", "Mug", 5, "https://shop.example.com/mug", ["Mugs"], "order"),
        ("SKU-2", None, None, None, [], "order"),
    ]


async def test_the_latest_order_counts_in_whatever_order_they_arrive(api: Api) -> None:
    for number, day, cost in ((1, "04", 5), (2, "08", 7), (3, "01", 3)):
        item = {"externalItemId": "SKU-1", "name": f"Mug {cost}", "quantity": 1, "cost": cost}
        await api.post("/api/v1/orders", {"orders": [order(number, f"2025-05-{day}T10:00:00Z", item)]})
    assert [row[1:3] for row in await names(api)] == [("Mug 7", 7)]
