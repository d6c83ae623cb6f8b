"""/api/v4/orders."""

from __future__ import annotations

from perigee.http.v4 import Call, Right, operation
from perigee.orders import store
from perigee.orders.types import OrderSummary


@operation("GET", "/orders/summary", right=Right.FULL, answer=OrderSummary)
async def summarise_orders(call: Call) -> OrderSummary:
    """Count and add up all orders, by status and currency."""
    async with call.context.database.connection() as connection:
        totals = await store.order_totals(connection, call.org_id)
    return OrderSummary(sum(line.orders for line in totals), totals)
