"""What is in a contact's cart: the last whole cart that the site or the shop's server reported (TRACKING 1.4, 3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec

from perigee.db.pool import Connection
from perigee.errors import Invalid, NotFound
from perigee.events.store import contact_exists
from perigee.lib import json_edge
from perigee.lib.scalars import to_decimal, to_text
from perigee.site import store
from perigee.site.values import number

_NAMED = frozenset({"productId", "price", "quantity"})

Status = Literal["none", "open", "emptied", "bought"]


class CartLine(msgspec.Struct, omit_defaults=True):
    """`details`: the further members of the product, `color: ["blue"]`, as they were reported."""

    product_id: str
    price: int | Decimal | None = None
    quantity: int | Decimal | None = None
    details: dict[str, Any] = {}


class Cart(msgspec.Struct, omit_defaults=True):
    """`total`: of the lines that have a price, in `currency`; a line without a quantity counts once."""

    status: Status
    """`none`: no cart was ever reported; `bought`: an order or purchase followed."""
    products: list[CartLine] = msgspec.field(default_factory=list)
    total: int | Decimal | None = None
    currency: str | None = None
    state_id: str | None = None
    """The shop's name for this state of the cart, which a purchase repeats."""
    updated_at: datetime | None = None
    external_order_id: str | None = None
    """The order that ended the cart, where its number is known."""


async def cart_of(conn: Connection, org_id: int, contact_id: int) -> Cart:
    """Raises NotFound: no such contact."""
    if not await contact_exists(conn, org_id, contact_id):
        raise NotFound(f"Contact {contact_id} is not found")
    found = await store.last_cart(conn, org_id, contact_id)
    if found is None:
        return Cart("none")
    lines = read_lines(found.params.get("products"))
    return Cart(
        "bought" if found.bought else "open" if lines else "emptied",
        lines,
        total(lines),
        _text(found.params.get("currencyCode")),
        found.state_id,
        found.updated_at,
        found.external_order_id,
    )


def read_lines(given: Any) -> list[CartLine]:
    """The products of `cartUpdated`: a list, or its JSON text, which servers send. What is no product is left out. Pure."""
    if isinstance(given, str):
        try:
            given = json_edge.decode(given.encode())
        except Invalid:
            return []
    members = given if isinstance(given, list) else []
    return [line for member in members if isinstance(member, Mapping) and (line := _line(member)) is not None]


def total(lines: list[CartLine]) -> int | Decimal | None:
    """None where no line has a price. Pure."""
    sums = [
        line.price * (1 if line.quantity is None else line.quantity)
        for line in lines
        if line.price is not None
    ]
    return number(Decimal(sum(sums))) if sums else None


def _line(member: Mapping[str, Any]) -> CartLine | None:
    product_id = _text(member.get("productId"))
    if product_id is None:
        return None
    details = {name: value for name, value in member.items() if name not in _NAMED}
    return CartLine(product_id, _amount(member.get("price")), _amount(member.get("quantity")), details)


def _amount(value: Any) -> int | Decimal | None:
    try:
        found = to_decimal("price", value, places=4)
    except Invalid:
        return None
    return None if found is None else number(found)


def _text(value: Any) -> str | None:
    try:
        return to_text("cart", value)
    except Invalid:
        return None
