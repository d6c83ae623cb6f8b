"""Types that cross the borders of this package."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from perigee.events.types import Identity

CANCELLED = "CANCELLED"
DELIVERED = "DELIVERED"
PLACED = frozenset({"INITIALIZED", "IN_PROGRESS", DELIVERED})
"""What the page of orders adds up as its total (product 9)."""
STATUSES = PLACED | {CANCELLED, "ABANDONED_SHOPPING_CART"}
"""Those we know; others are accepted, make their event and count nowhere (contract 17.1)."""


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


class PlacedTotal(msgspec.Struct):
    """Orders that are initialised, in progress or delivered, of one currency; `total` is exact, in `currency`."""

    currency: str
    orders: int
    total: Decimal


class OrderSummary(msgspec.Struct):
    """How many orders there are; `totals` has a line for each status and currency."""

    orders: int
    totals: list[OrderTotals]
    placed: list[PlacedTotal]
    """What is called the total: cancelled orders and abandoned carts stand apart (product 9). A line for each
    currency."""


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


class Buyer(msgspec.Struct):
    """The contact of an order."""

    contact_id: int
    external_id: str | None
    email: str | None
    phone: str | None
    first_name: str | None
    last_name: str | None


class Order(OrderRow):
    details: dict[str, Any]
    """The order's other members, in their wire names."""
    items: list[OrderItem]
    contact: Buyer | None
    """None: nobody's any more."""


class OrderUpdate(msgspec.Struct, forbid_unknown_fields=True):
    status: str
    """INITIALIZED, IN_PROGRESS, DELIVERED, CANCELLED, ABANDONED_SHOPPING_CART, or a word of the shop's own."""
