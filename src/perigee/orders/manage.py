"""One order, as people change it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from perigee.db.pool import Connection
from perigee.errors import NotFound
from perigee.orders import store
from perigee.orders.clean import clean_status
from perigee.orders.delete import delete_one
from perigee.orders.filters import Filter
from perigee.orders.types import PLACED, Order, OrderSummary, OrderTotals, PlacedTotal
from perigee.orders.upsert import set_statuses


async def set_status(conn: Connection, org_id: int, order_id: int, status: str) -> Order:
    """Raises NotFound, Invalid. The status it has already changes nothing and makes no event."""
    status = clean_status(status)
    order = await store.get_order(conn, org_id, order_id)
    if order.status != status:
        await set_statuses(conn, org_id, [(order.external_order_id, status)])
    return await store.get_order(conn, org_id, order_id)


async def delete_order(conn: Connection, org_id: int, order_id: int) -> None:
    """With its items; the facts of its contact follow. Raises NotFound."""
    order = await store.get_order(conn, org_id, order_id)
    if not await delete_one(conn, org_id, order.external_order_id):
        raise NotFound(f"Order {order_id} is not found")


async def summarise(conn: Connection, org_id: int, narrowed: Filter) -> OrderSummary:
    totals = await store.order_totals(conn, org_id, narrowed)
    return OrderSummary(sum(line.orders for line in totals), totals, placed(totals))


def placed(totals: Iterable[OrderTotals]) -> list[PlacedTotal]:
    """Pure."""
    found: dict[str, PlacedTotal] = {}
    for line in totals:
        if line.status in PLACED:
            sums = found.setdefault(line.currency, PlacedTotal(line.currency, 0, Decimal(0)))
            sums.orders += line.orders
            sums.total += line.total
    return [found[currency] for currency in sorted(found)]
