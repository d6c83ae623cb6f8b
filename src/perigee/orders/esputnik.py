"""The old wire's methods of orders (contract section 17)."""

from __future__ import annotations

from typing import Any

import msgspec

from perigee.esputnik.face import Answer, Call, Empty, Query, Right, bulk_limit, empty, operation
from perigee.orders.delete import what
from perigee.orders.intake import OrdersIn, take
from perigee.orders.jobs import enqueue_delete


class FailedOrder(msgspec.Struct):
    order: Any
    """The element as it was sent, whatever it is."""
    error: str


class FailedOrders(msgspec.Struct, rename="camel"):
    failed_orders: list[FailedOrder]


@operation(
    "POST",
    "/v1/orders",
    section="17.1",
    right=Right.FULL,
    body=OrdersIn,
    answer=FailedOrders | Empty,
    body_limit=bulk_limit,
    example={
        "orders": [
            {
                "externalOrderId": "SO-1001",
                "externalCustomerId": "CRM-1001",
                "totalCost": 59.9,
                "status": "INITIALIZED",
                "date": "2025-05-04T10:11:10+03:00",
                "currency": "EUR",
                "email": "anna@example.com",
                "phone": "380501112233",
                "firstName": "Anna",
                "source": "online",
                "items": [
                    {
                        "externalItemId": "SKU-1",
                        "name": "Mug",
                        "category": "Mugs",
                        "quantity": 2,
                        "cost": 29.95,
                        "url": "https://shop.example.com/mug",
                        "imageUrl": "https://shop.example.com/mug.png",
                    }
                ],
            }
        ]
    },
    answer_example={
        "failedOrders": [
            {
                "order": {
                    "externalOrderId": "SO-1002",
                    "totalCost": 10,
                    "status": "INITIALIZED",
                    "date": "bad",
                    "currency": "EUR",
                },
                "error": "date: wrong format",
            }
        ]
    },
)
async def post_orders(call: Call) -> Answer | FailedOrders:
    """Add or update up to 1,000 orders. The answer is empty when all were accepted."""
    refused = await take(
        call.context.database,
        call.org_id,
        await call.json(OrdersIn),
        zone=call.principal.time_zone,
        limit=call.context.settings.max_orders_per_call,
    )
    if not refused:
        return empty()
    return FailedOrders([FailedOrder(order, error) for order, error in refused])


@operation(
    "DELETE",
    "/v1/orders",
    section="17.2",
    right=Right.FULL,
    answer=Empty,
    query=(
        Query("externalOrderId", str, "one order"),
        Query("from", str, "first moment in UTC, `yyyy-MM-dd'T'HH:mm:ss`", example="2025-05-04T00:00:00"),
        Query("to", str, "last moment, at most 24 hours later, included", example="2025-05-04T23:59:59"),
    ),
)
async def delete_orders(call: Call) -> Answer:
    """Delete one order, or the orders of up to 24 hours, in the background."""
    asked = what(call.query.get("externalOrderId"), call.query.get("from"), call.query.get("to"))
    async with call.context.database.transaction() as conn:
        await enqueue_delete(conn, call.org_id, asked)
    return empty()
