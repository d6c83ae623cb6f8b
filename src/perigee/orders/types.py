"""Types that cross the borders of this package."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from perigee.events.types import Identity

CANCELLED = "CANCELLED"
DELIVERED = "DELIVERED"


class Item(NamedTuple):
    external_item_id: str
    quantity: str
    """Decimal text, exact; so is `cost`."""
    cost: str | None
    name: str | None
    category: str | None
    details: dict[str, Any]


class CleanOrder(NamedTuple):
    """An order that keeps every rule of contract 17.1, ready to be stored."""

    external_order_id: str
    who: Identity
    status: str
    total: str
    """Decimal text in `currency`, exact."""
    currency: str | None
    """None = the organisation's."""
    ordered_at: datetime
    source: str | None
    """online or offline; None = not said."""
    details: dict[str, Any]
    """Every other member of the wire's order, unknown ones too."""
    items: list[Item] | None
    """None = not said: a stored order keeps its items."""


class StoredOrder(NamedTuple):
    order_id: int
    external_order_id: str
    contact_id: int | None
    status: str


class OrderTotals(msgspec.Struct):
    """Orders of one status and currency. `total` is exact, in `currency`."""

    status: str
    currency: str
    orders: int
    customers: int
    total: Decimal
    first_at: datetime
    last_at: datetime


class OrderSummary(msgspec.Struct):
    """How many orders there are; `totals` has a line for each status and currency."""

    orders: int
    totals: list[OrderTotals]


class OrderRow(msgspec.Struct):
    """An order in a list."""

    order_id: int
    external_order_id: str
    contact_id: int | None
    status: str
    total: Decimal
    currency: str
    ordered_at: datetime
    source: str
    updated_at: datetime


class OrderItem(msgspec.Struct):
    external_item_id: str
    name: str | None
    category: str | None
    quantity: Decimal
    cost: Decimal | None
    details: dict[str, Any]
    """The item's other members, in their wire names."""


class Order(OrderRow):
    details: dict[str, Any]
    """The order's other members, in their wire names."""
    items: list[OrderItem]
