"""/api/v4/orders."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from perigee.http.v4 import PAGE, Call, Page, Query, Right, cursor_page, operation
from perigee.orders import manage, store
from perigee.orders.filters import Filter, read_filter
from perigee.orders.types import Order, OrderRow, OrderSummary, OrderUpdate

FILTERS = (
    Query("contact_id", int, "orders of one contact"),
    Query("status", str, "orders of one status, or of several with commas between"),
    Query("from", str, "made then or later; a date or a date with time", example="2025-05-01"),
    Query("to", str, "made then or before; a date includes its day", example="2025-05-31"),
    Query("text", str, "part of the external order id, or the contact's whole external id, email or phone"),
)


def _filter(call: Call) -> Filter:
    return read_filter(call.query, ZoneInfo(call.principal.time_zone))


@operation("GET", "/orders", right=Right.FULL, answer=Page[OrderRow], query=(*FILTERS, *PAGE))
async def list_orders(call: Call) -> Page:
    """List orders, the newest in our books first."""
    before, limit = cursor_page(call)
    narrowed = _filter(call)
    async with call.context.database.connection() as conn:
        rows = await store.list_orders(conn, call.org_id, narrowed, before=before, limit=limit + 1)
    page = Page(rows[:limit])
    if len(rows) > limit:
        page.next = str(rows[limit - 1].order_id)
    return page


@operation("GET", "/orders/summary", right=Right.FULL, answer=OrderSummary, query=FILTERS)
async def summarise_orders(call: Call) -> OrderSummary:
    """Count and add up orders, by status and currency."""
    narrowed = _filter(call)
    async with call.context.database.connection() as conn:
        return await manage.summarise(conn, call.org_id, narrowed)


@operation("GET", "/orders/{order_id:int}", right=Right.FULL, answer=Order, refusals=(404,))
async def get_order(call: Call) -> Order:
    """Read an order with its items and its contact."""
    async with call.context.database.connection() as conn:
        return await store.get_order(conn, call.org_id, call.path["order_id"])


@operation(
    "PATCH",
    "/orders/{order_id:int}",
    right=Right.FULL,
    body=OrderUpdate,
    answer=Order,
    example={"status": "DELIVERED"},
    refusals=(404,),
)
async def change_order(call: Call) -> Order:
    """Change the status of an order; the event `order<STATUS>` follows."""
    wanted = await call.json(OrderUpdate)
    async with call.context.database.transaction() as conn:
        return await manage.set_status(conn, call.org_id, call.path["order_id"], wanted.status)


@operation("DELETE", "/orders/{order_id:int}", right=Right.FULL, refusals=(404,))
async def delete_order(call: Call) -> None:
    """Delete an order with its items. Its events stay."""
    async with call.context.database.transaction() as conn:
        await manage.delete_order(conn, call.org_id, call.path["order_id"])
