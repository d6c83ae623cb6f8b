"""Events that create and change orders (contract 17.3)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from perigee.events.tests.conftest import Events

ORDER = {
    "externalOrderId": "SO-1",
    "totalCost": "59.90",
    "status": "IN_PROGRESS",
    "date": "2025-05-04T10:11:10Z",
    "email": "anna@example.com",
    "currency": "USD",
}


async def orders(events: Events) -> list[Any]:
    return await events.api.rows(
        "select external_order_id, status, total, contact_id from orders where org_id = %(org_id)s order by order_id"
    )


@pytest.fixture
async def anna(events: Events) -> int:
    return await events.add_contact(email="anna@example.com")


@pytest.mark.parametrize("type_key", ["orderCreated", "orderUpdated"])
async def test_created_and_updated_make_the_order(events: Events, anna: int, type_key: str) -> None:
    assert (await events.post(ORDER, eventTypeKey=type_key)).status_code == 200
    assert await orders(events) == [("SO-1", "IN_PROGRESS", Decimal("59.9"), anna)]
    assert [row[0] for row in await events.stored()] == [type_key, "orderIN_PROGRESS"]


async def test_updated_changes_a_known_order(events: Events, anna: int) -> None:
    await events.post(ORDER, eventTypeKey="orderCreated")
    await events.post(ORDER | {"totalCost": 10, "status": "DELIVERED"}, eventTypeKey="orderUpdated")
    assert await orders(events) == [("SO-1", "DELIVERED", 10, anna)]


@pytest.mark.parametrize(
    ("type_key", "status"), [("orderDelivered", "DELIVERED"), ("orderCancelled", "CANCELLED")]
)
async def test_delivered_and_cancelled_set_the_status(
    events: Events, anna: int, type_key: str, status: str
) -> None:
    await events.post(ORDER, eventTypeKey="orderCreated")
    await events.post({"externalOrderId": "SO-1", "email": "anna@example.com"}, eventTypeKey=type_key)
    assert await orders(events) == [("SO-1", status, Decimal("59.9"), anna)]
    assert (await events.stored())[-1][:3] == (f"order{status}", "SO-1", anna)
    assert await events.api.rows(
        "select orders, delivered from contact_orders where org_id = %(org_id)s"
    ) == [(int(status == "DELIVERED"), int(status == "DELIVERED"))]


async def test_a_status_of_an_unknown_order_is_ignored(events: Events, anna: int) -> None:
    answer = await events.post({"externalOrderId": "SO-9"}, eventTypeKey="orderDelivered", keyValue="k")
    assert answer.status_code == 200
    assert await orders(events) == []
    assert [row[0] for row in await events.stored()] == ["orderDelivered"]


@pytest.mark.parametrize("missing", ["externalOrderId", "totalCost", "status", "date"])
async def test_without_a_required_parameter_no_order_is_made(events: Events, anna: int, missing: str) -> None:
    params = {name: value for name, value in ORDER.items() if name != missing}
    assert (await events.post(params, eventTypeKey="orderCreated")).status_code == 200
    assert await orders(events) == []


async def test_the_contact_must_exist_already(events: Events) -> None:
    await events.post(ORDER, eventTypeKey="orderCreated")
    assert await orders(events) == []
    assert await events.contacts() == []


async def test_items_as_json_text_and_as_json(events: Events, anna: int) -> None:
    text = '[{"externalItemId": "SKU-1", "name": "Mug", "quantity": 2, "cost": "29.95"}]'
    v1 = [{"name": name, "value": value} for name, value in (ORDER | {"items": text}).items()]
    await events.post(v1, 1, eventTypeKey="orderCreated")
    await events.post(
        ORDER | {"externalOrderId": "SO-2", "items": [{"externalItemId": "SKU-2", "quantity": 1}]},
        eventTypeKey="orderCreated",
    )
    assert await events.api.rows(
        "select external_item_id, quantity, cost from order_item where org_id = %(org_id)s order by order_id"
    ) == [("SKU-1", 2, Decimal("29.95")), ("SKU-2", 1, None)]


async def test_names_count_without_regard_to_case(events: Events, anna: int) -> None:
    await events.post({name.upper(): value for name, value in ORDER.items()}, eventTypeKey="orderCreated")
    assert len(await orders(events)) == 1
