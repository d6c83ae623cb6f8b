"""Typed access to the order tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from perigee.db.columns import pack, pack_numbers
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.errors import NotFound
from perigee.lib import json_edge
from perigee.orders.filters import Filter
from perigee.orders.types import Buyer, CleanOrder, Item, Order, OrderItem, OrderRow, OrderTotals, StoredOrder

q = load(__package__)


def _json(value: Mapping[str, Any]) -> str:
    return json_edge.encode(value).decode()


def _columns(orders: Sequence[CleanOrder], contact_ids: Sequence[int | None]) -> dict[str, str]:
    return {
        "external_order_ids": pack(order.external_order_id for order in orders),
        "contact_ids": pack_numbers(contact_ids),
        "statuses": pack(order.status for order in orders),
        "totals": pack(order.total for order in orders),
        "currencies": pack(order.currency for order in orders),
        "ordered": pack(order.ordered_at.isoformat() for order in orders),
        "sources": pack(order.source for order in orders),
        "details": pack(_json(order.details) for order in orders),
    }


async def insert_orders(
    conn: Connection, org_id: int, orders: Sequence[CleanOrder], contact_ids: Sequence[int | None]
) -> dict[str, int]:
    """Order ids by external id of those that were new. `orders` sorted by external id, without repeats."""
    cursor = await conn.execute(
        q.insert_orders,
        {"org_id": org_id, **_columns(orders, contact_ids)},
    )
    return {external: order_id for order_id, external in await cursor.fetchall()}


async def known_orders(conn: Connection, org_id: int, external_order_ids: Sequence[str]) -> dict[str, int]:
    """Order ids by external id of those that there are."""
    cursor = await conn.execute(
        q.known_orders, {"org_id": org_id, "external_order_ids": pack(external_order_ids)}
    )
    return dict(await cursor.fetchall())


async def lock_orders(
    conn: Connection, org_id: int, external_order_ids: Sequence[str]
) -> dict[str, StoredOrder]:
    cursor = await conn.execute(
        q.lock_orders, {"org_id": org_id, "external_order_ids": pack(external_order_ids)}
    )
    return {row[1]: StoredOrder(*row) for row in await cursor.fetchall()}


async def update_orders(
    conn: Connection, org_id: int, orders: Sequence[CleanOrder], contact_ids: Sequence[int | None]
) -> None:
    """Orders that exist and are locked."""
    await conn.execute(q.update_orders, {"org_id": org_id, **_columns(orders, contact_ids)})


async def update_statuses(conn: Connection, org_id: int, statuses: Mapping[str, str]) -> None:
    """Status by external order id, of orders that exist and are locked."""
    await conn.execute(
        q.update_statuses,
        {"org_id": org_id, "external_order_ids": pack(statuses), "statuses": pack(statuses.values())},
    )


async def delete_items(conn: Connection, org_id: int, order_ids: Sequence[int]) -> None:
    await conn.execute(q.delete_items, {"org_id": org_id, "order_ids": pack_numbers(order_ids)})


async def insert_items(conn: Connection, org_id: int, items: Sequence[tuple[int, int, Item]]) -> None:
    """(order id, position, item)."""
    await conn.execute(
        q.insert_items,
        {
            "org_id": org_id,
            "order_ids": pack_numbers(order_id for order_id, _, _ in items),
            "positions": pack_numbers(position for _, position, _ in items),
            "external_item_ids": pack(item.external_item_id for _, _, item in items),
            "names": pack(item.name for _, _, item in items),
            "categories": pack(item.category for _, _, item in items),
            "quantities": pack(item.quantity for _, _, item in items),
            "costs": pack(item.cost for _, _, item in items),
            "details": pack(_json(item.details) for _, _, item in items),
        },
    )


async def recount(conn: Connection, org_id: int, contact_ids: Sequence[int]) -> None:
    """Facts of these contacts anew. `contact_ids` sorted; a concurrent recount of one of them is waited for.

    The behaviour is `orders.facts.recount`: it moves them in the RFM grid too.
    """
    columns = {"org_id": org_id, "contact_ids": pack_numbers(contact_ids)}
    await conn.execute(q.open_facts, columns)
    await conn.execute(q.lock_facts, columns)
    await conn.execute(q.count_facts, columns)


async def lock_orders_of_period(
    conn: Connection, org_id: int, first: datetime, last: datetime, limit: int
) -> list[StoredOrder]:
    cursor = await conn.execute(
        q.lock_orders_of_period, {"org_id": org_id, "first": first, "last": last, "limit": limit}
    )
    return [StoredOrder(*row) for row in await cursor.fetchall()]


async def delete_orders(conn: Connection, org_id: int, external_order_ids: Sequence[str]) -> None:
    await conn.execute(q.delete_orders, {"org_id": org_id, "external_order_ids": pack(external_order_ids)})


async def time_zone(conn: Connection, org_id: int) -> str:
    """The organisation's, for dates without an offset."""
    row = await (await conn.execute(q.time_zone, {"org_id": org_id})).fetchone()
    return str(row[0]) if row else "UTC"


async def order_totals(conn: Connection, org_id: int, narrowed: Filter) -> list[OrderTotals]:
    """A line for each status and currency."""
    cursor = await conn.execute(q.summary, {"org_id": org_id, **narrowed.values()}, prepare=False)
    return [OrderTotals(*row) for row in await cursor.fetchall()]


async def list_orders(
    conn: Connection, org_id: int, narrowed: Filter, *, before: int, limit: int
) -> list[OrderRow]:
    values = {"org_id": org_id, "before": before, "limit": limit, **narrowed.values()}
    cursor = await conn.execute(q.list_orders, values, prepare=False)
    return [OrderRow(*row) for row in await cursor.fetchall()]


async def get_order(conn: Connection, org_id: int, order_id: int) -> Order:
    """With its items and its contact, if there is one alive. Raises NotFound."""
    values = {"org_id": org_id, "order_id": order_id}
    row = await (await conn.execute(q.get_order, values)).fetchone()
    if row is None:
        raise NotFound(f"Order {order_id} is not found")
    items = await (await conn.execute(q.get_items, values)).fetchall()
    buyer = await (await conn.execute(q.buyer, {"org_id": org_id, "contact_id": row[2]})).fetchone()
    contact = None if buyer is None else Buyer(*buyer)
    return Order(*(*row, [OrderItem(*item) for item in items], contact))


async def organisations_with_orders_before(conn: Connection, moment: datetime) -> list[int]:
    cursor = await conn.execute(q.organisations_with_orders_before, {"moment": moment})
    return [org_id for (org_id,) in await cursor.fetchall()]
