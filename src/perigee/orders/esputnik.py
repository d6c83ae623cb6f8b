"""The old wire's methods of orders (contract section 17)."""

from __future__ import annotations

from typing import Any

import msgspec

from perigee.esputnik.face import Answer, Call, Right, bulk_limit, empty, operation
from perigee.orders.delete import what
from perigee.orders.intake import OrdersIn, take
from perigee.orders.jobs import enqueue_delete


class FailedOrder(msgspec.Struct):
    order: dict[str, Any]
    error: str


class FailedOrders(msgspec.Struct, rename="camel"):
    failed_orders: list[FailedOrder]


@operation(
    "POST",
    "/v1/orders",
    section="17.1",
    right=Right.FULL,
    body=OrdersIn,
    answer=FailedOrders,
    body_limit=bulk_limit,
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


@operation("DELETE", "/v1/orders", section="17.2", right=Right.FULL)
async def delete_orders(call: Call) -> Answer:
    """Delete one order, or the orders of up to 24 hours, in the background."""
    asked = what(call.query.get("externalOrderId"), call.query.get("from"), call.query.get("to"))
    async with call.context.database.transaction() as conn:
        await enqueue_delete(conn, call.org_id, asked)
    return empty()
