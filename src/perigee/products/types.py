"""Types that cross the borders of this package."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

Source = Literal["order", "feed", "tracker", "api"]


class ProductRow(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says about a product; None says nothing. Texts are cleaned (`lib.text`), ids not empty.

    `categories` are texts as the shop calls them, `Home > Mugs` is one; `tags` are further members of its feed
    without the prefix `tags_`. `price` fits numeric(18,4), in `currency`.
    """

    product_id: str
    name: str | None = None
    url: str | None = None
    image_url: str | None = None
    description: str | None = None
    brand: str | None = None
    price: Decimal | None = None
    currency: str | None = None
    in_stock: bool | None = None
    categories: tuple[str, ...] | None = None
    tags: dict[str, list[str]] = {}
    as_of: datetime | None = None
    """When it was so; None = now."""


class Product(msgspec.Struct, kw_only=True):
    """A product as it is stored."""

    product_id: str
    name: str | None
    url: str | None
    image_url: str | None
    description: str | None
    brand: str | None
    price: Decimal | None
    currency: str | None
    in_stock: bool | None
    categories: list[str]
    tags: dict[str, list[str]]


class Feed(msgspec.Struct):
    """An address where the shop keeps its product list."""

    url: str
    language: str | None
    default: bool
