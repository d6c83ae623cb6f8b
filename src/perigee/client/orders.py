"""Orders, given as the wire has them (contract 17.1): `{"externalOrderId": …, "totalCost": …, "status": …, …}`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from perigee.client.pages import cursor_list
from perigee.client.transport import Reply, Transport, json, nothing
from perigee.client.types import RefusedOrder
from perigee.orders.types import Order, OrderRow, OrderSummary, OrderUpdate

ORDERS_PER_CALL = 1000
"""The most that `add_orders` takes in one call (contract 17.1)."""


class _Refused(msgspec.Struct, rename="camel"):
    failed_orders: list[RefusedOrder]


async def add_orders(transport: Transport, orders: Sequence[Mapping[str, Any]]) -> list[RefusedOrder]:
    """Adds or updates up to 1,000 orders; those that break a rule come back, the others are stored."""
    return await transport.call(
        "POST", "/api/v1/orders", _refused_orders, body={"orders": orders}, repeatable=True
    )


def _refused_orders(reply: Reply) -> list[RefusedOrder]:
    """No body: all were accepted (contract 2.4)."""
    return msgspec.json.decode(reply.body, type=_Refused).failed_orders if reply.body.strip() else []


async def order_summary(
    transport: Transport,
    *,
    contact_id: int | None = None,
    statuses: Sequence[str] | None = None,
    start: str | None = None,
    end: str | None = None,
    text: str | None = None,
) -> OrderSummary:
    """Orders added up by currency and status; narrowed as `list_orders`."""
    query = _filters(contact_id, statuses, start, end, text)
    return await transport.call("GET", "/api/v4/orders/summary", json(OrderSummary), query=query)


async def list_orders(
    transport: Transport,
    *,
    contact_id: int | None = None,
    statuses: Sequence[str] | None = None,
    start: str | None = None,
    end: str | None = None,
    text: str | None = None,
    limit: int | None = None,
) -> list[OrderRow]:
    """Newest first. `start` and `end`: dates or dates with time; an `end` without time includes its day. `text`: part of
    the external order id, or the contact's external id, email or phone."""
    query = _filters(contact_id, statuses, start, end, text)
    return await cursor_list(transport, "/api/v4/orders", OrderRow, limit=limit, **query)


def _filters(
    contact_id: int | None,
    statuses: Sequence[str] | None,
    start: str | None,
    end: str | None,
    text: str | None,
) -> dict[str, Any]:
    status = ",".join(statuses) if statuses else None
    return {"contact_id": contact_id, "status": status, "from": start, "to": end, "text": text}


async def get_order(transport: Transport, order_id: int) -> Order:
    """With its items and its contact."""
    return await transport.call("GET", f"/api/v4/orders/{order_id}", json(Order))


async def change_order(transport: Transport, order_id: int, status: str) -> Order:
    return await transport.call("PATCH", f"/api/v4/orders/{order_id}", json(Order), body=OrderUpdate(status))


async def delete_order(transport: Transport, order_id: int) -> None:
    """With its items."""
    await transport.call("DELETE", f"/api/v4/orders/{order_id}", nothing)
