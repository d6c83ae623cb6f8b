"""Orders, given as the wire has them (contract 17.1): `{"externalOrderId": …, "totalCost": …, "status": …, …}`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from perigee.client.transport import Reply, Transport, json
from perigee.client.types import RefusedOrder
from perigee.orders.types import OrderSummary

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


async def order_summary(transport: Transport) -> OrderSummary:
    """All orders, added up by currency and status."""
    return await transport.call("GET", "/api/v4/orders/summary", json(OrderSummary))
