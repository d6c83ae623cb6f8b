"""`ProductUpdate`: the shop's plugin says what its products are like now (TRACKING 2.2).

The tracker knows no caller, so an address of a product must lead to the site itself: what stands in messages as a
recommendation cannot be turned into a link to somewhere else by a stranger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from perigee.db.pool import Connection
from perigee.errors import Invalid
from perigee.lib.scalars import to_text
from perigee.lib.urls import normal_http_url, parse_http_url
from perigee.products.store import upsert_products
from perigee.products.types import ProductRow
from perigee.site import values

NAME = "ProductUpdate"
MOST = 1000
_TEXT, _NAME = 5000, 500


def read(given: Any, domain: str, now: datetime) -> list[ProductRow]:
    """The products of one body. Raises Invalid, which names the product's place and member. Pure."""
    goods = values.listing(NAME, given)
    if not goods:
        raise Invalid(f"{NAME}: at least one product is required", field=NAME)
    if len(goods) > MOST:
        raise Invalid(f"{NAME}: {len(goods)} products are more than {MOST}", field=NAME)
    return [_product(f"{NAME}[{place}]", member, domain, now) for place, member in enumerate(goods)]


async def apply(conn: Connection, org_id: int, items: Sequence[list[ProductRow]]) -> list[None]:
    """The set function behind the method."""
    await upsert_products(conn, org_id, [row for rows in items for row in rows], source="tracker")
    return [None] * len(items)


def _product(field: str, member: Mapping[str, Any], domain: str, now: datetime) -> ProductRow:
    price = values.price(f"{field}.unit_price", member.get("unit_price"))
    currency = values.currency(f"{field}.price_currency_code", member.get("price_currency_code"))
    in_stock = values.flag(f"{field}.isInStock", member.get("isInStock"))
    if in_stock is None:
        raise Invalid(f"{field}.isInStock: is required", field=f"{field}.isInStock")
    tags = values.tags(field, member)
    if ids := values.texts(f"{field}.category_id", member.get("category_id")):
        tags["category_id"] = ids
    categories = values.texts(f"{field}.category", member.get("category"))
    return ProductRow(
        product_id=values.required(f"{field}.product_id", member.get("product_id")),
        name=to_text(f"{field}.name", member.get("name"), limit=_NAME),
        url=_url(f"{field}.url", member.get("url"), domain),
        image_url=_url(f"{field}.imgurl", member.get("imgurl"), None),
        description=_description(member.get("description")),
        brand=to_text(f"{field}.brand", member.get("brand"), limit=_NAME),
        price=price.amount,
        currency=currency or price.currency,
        in_stock=bool(in_stock),
        categories=tuple(categories) or None,
        tags=tags,
        as_of=now,
    )


def _description(value: Any) -> str | None:
    """As much of it as we keep."""
    text = to_text("description", value)
    return None if text is None else text[:_TEXT]


def _url(field: str, value: Any, domain: str | None) -> str | None:
    """An address, on the domain or below it where one is given. Raises Invalid."""
    text = to_text(field, value)
    if text is None:
        return None
    url = parse_http_url(text)
    if url is None:
        raise Invalid.of(field, text, "is not an address like https://shop.example.com/mug")
    host = (url.raw_host or "").removeprefix("www.")
    site = None if domain is None else domain.removeprefix("www.")
    if site is not None and host != site and not host.endswith("." + site):
        raise Invalid.of(field, text, f"is not on the site {domain}")
    return normal_http_url(text)
