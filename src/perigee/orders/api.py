"""/api/v4/orders."""

from __future__ import annotations

from perigee.http.v4 import PAGE, Call, Page, Query, Right, cursor_page, operation
from perigee.lib.scalars import to_id
from perigee.lib.text import clean_or_none
from perigee.orders import store
from perigee.orders.types import Order, OrderRow, OrderSummary


@operation(
    "GET",
    "/orders",
    right=Right.FULL,
    answer=Page[OrderRow],
    query=(
        Query("contact_id", int, "orders of one contact"),
        Query("status", str, "orders of one status"),
        *PAGE,
    ),
)
async def list_orders(call: Call) -> Page:
    """List orders, newest first; `contact_id` and `status` narrow the list."""
    before, limit = cursor_page(call)
    async with call.context.database.connection() as conn:
        rows = await store.list_orders(
            conn,
            call.org_id,
            before=before,
            limit=limit + 1,
            contact_id=to_id("contact_id", call.query.get("contact_id")),
            status=clean_or_none(call.query.get("status")),
        )
    page = Page(rows[:limit])
    if len(rows) > limit:
        page.next = str(rows[limit - 1].order_id)
    return page


@operation("GET", "/orders/summary", right=Right.FULL, answer=OrderSummary)
async def summarise_orders(call: Call) -> OrderSummary:
    """Count and add up all orders, by status and currency."""
    async with call.context.database.connection() as connection:
        totals = await store.order_totals(connection, call.org_id)
    return OrderSummary(sum(line.orders for line in totals), totals)


@operation("GET", "/orders/{order_id:int}", right=Right.FULL, answer=Order)
async def get_order(call: Call) -> Order:
    """Read an order with its items."""
    async with call.context.database.connection() as conn:
        return await store.get_order(conn, call.org_id, call.path["order_id"])
