"""Products as the orders of the shop name them: for a shop without a feed that is all we know. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from perigee.lib.text import clean_or_none
from perigee.orders.types import CleanOrder, Item
from perigee.products.types import ProductRow


def products_of(orders: Iterable[CleanOrder]) -> list[ProductRow]:
    """One row per product, from the latest of these orders that has it."""
    latest: dict[str, ProductRow] = {}
    for order in sorted(orders, key=lambda order: order.ordered_at):
        for item in order.items or ():
            latest[item.external_item_id] = _row(order, item)
    return list(latest.values())


def _row(order: CleanOrder, item: Item) -> ProductRow:
    return ProductRow(
        product_id=item.external_item_id,
        name=item.name,
        url=_text(item, "url"),
        image_url=_text(item, "imageUrl"),
        description=_text(item, "description"),
        price=None if item.cost is None else Decimal(item.cost),
        currency=order.currency,
        categories=None if item.category is None else (item.category,),
        as_of=order.ordered_at,
    )


def _text(item: Item, member: str) -> str | None:
    value = item.details.get(member)
    return clean_or_none(value) if isinstance(value, str) else None
