"""A product feed in the Google form: RSS 2.0 or Atom, with members of the namespace `g:` (product.md 10). Pure.

Read as it arrives, in constant memory. A document type is refused: entities of our own invention are how XML is made
to explode or to fetch files. Items that are no products are counted and passed over.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import ParseError, XMLParser

from perigee.errors import Invalid
from perigee.lib.scalars import to_decimal
from perigee.lib.text import clean_or_none
from perigee.lib.urls import normal_http_url
from perigee.orders.clean import KEY_LENGTH
from perigee.products.types import ProductRow

LONGEST_MEMBER = 20_000
"""Characters of one member that are kept."""
MOST_VALUES = 20
"""Values of one further member that are kept."""
MOST_TAGS = 100
DEEPEST = 50

_ITEMS = frozenset({"item", "entry"})
_KNOWN = frozenset(
    {
        "id",
        "title",
        "link",
        "image_link",
        "description",
        "summary",
        "brand",
        "price",
        "sale_price",
        "availability",
        "product_type",
        "google_product_category",
    }
)
_IN_STOCK = {
    "in stock": True,
    "in_stock": True,
    "preorder": True,
    "backorder": True,
    "out of stock": False,
    "out_of_stock": False,
}
_PRICE = re.compile(r"(?:([A-Za-z]{3})\s*)?([0-9][0-9\s]*(?:[.,][0-9]{1,4})?)\s*([A-Za-z]{3})?")


class FeedReader:
    """Give it the bytes as they come and take the products out. Raises Invalid for what is no such XML."""

    def __init__(self) -> None:
        self.skipped = 0
        """Items without a usable id."""
        self._target = _Target()
        # The expat behind it resolves no external entities, and with the document type goes every other one.
        self._parser = XMLParser(target=self._target)  # noqa: S314

    def feed(self, data: bytes) -> list[ProductRow]:
        """The products that are complete with these bytes."""
        try:
            self._parser.feed(data)
        except ParseError as error:
            raise _not_xml(error) from None
        return self._take()

    def close(self) -> list[ProductRow]:
        """At the end of the file. Raises Invalid when it breaks off."""
        try:
            self._parser.close()
        except ParseError as error:
            raise _not_xml(error) from None
        return self._take()

    def _take(self) -> list[ProductRow]:
        items, self._target.items = self._target.items, []
        found = [product(item) for item in items]
        self.skipped += found.count(None)
        return [row for row in found if row is not None]


class _Target:
    """Collects the direct members of items; whatever lies deeper, as shipping costs do, is passed over."""

    def __init__(self) -> None:
        self.items: list[dict[str, list[str]]] = []
        self._depth = 0
        self._item: dict[str, list[str]] | None = None
        self._item_depth = 0
        self._text: list[str] | None = None
        self._size = 0

    def doctype(self, *_: Any) -> None:
        raise Invalid("the feed has a document type, which is refused", field="url")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise Invalid(f"the feed is nested deeper than {DEEPEST} levels", field="url")
        name = _local(tag)
        if self._item is None:
            if name in _ITEMS:
                self._item, self._item_depth = {}, self._depth
        elif self._depth == self._item_depth + 1:
            self._text, self._size = [], 0
            if name == "link" and (href := attributes.get("href")):  # Atom
                self._text.append(href[:LONGEST_MEMBER])

    def data(self, text: str) -> None:
        if self._text is not None and self._depth == self._item_depth + 1 and self._size < LONGEST_MEMBER:
            self._text.append(text[: LONGEST_MEMBER - self._size])
            self._size += len(text)

    def end(self, tag: str) -> None:
        if self._item is not None:
            if self._depth == self._item_depth:
                self.items.append(self._item)
                self._item = None
            elif self._depth == self._item_depth + 1 and self._text is not None:
                self._keep(_local(tag), "".join(self._text))
                self._text = None
        self._depth -= 1

    def _keep(self, name: str, text: str) -> None:
        assert self._item is not None
        value = clean_or_none(text)
        if value is None or (name not in self._item and len(self._item) >= MOST_TAGS):
            return
        values = self._item.setdefault(name, [])
        if len(values) < MOST_VALUES:
            values.append(value)

    def close(self) -> None:
        pass


def product(item: dict[str, list[str]]) -> ProductRow | None:
    """An item's members by name; None without a usable id. Pure."""

    def first(*names: str) -> str | None:
        return next((item[name][0] for name in names if name in item), None)

    product_id = first("id")
    if product_id is None or len(product_id) > KEY_LENGTH:
        return None
    price, currency = read_price(first("sale_price", "price"))
    tags = {name: values for name, values in item.items() if name not in _KNOWN}
    if "sale_price" in item and (old := read_price(first("price"))[0]) is not None:
        tags["oldprice"] = [format(old, "f")]
    categories = item.get("product_type") or item.get("google_product_category")
    return ProductRow(
        product_id=product_id,
        name=first("title"),
        url=_address(first("link")),
        image_url=_address(first("image_link")),
        description=first("description", "summary"),
        brand=first("brand"),
        price=price,
        currency=currency,
        in_stock=_IN_STOCK.get((first("availability") or "").lower()),
        categories=tuple(categories) if categories else None,
        tags=tags,
    )


def read_price(text: str | None) -> tuple[Decimal | None, str | None]:
    """`9.50 EUR`, `EUR 9,50`, `9.50`: amount and currency; what is no price is (None, None). Pure."""
    match = _PRICE.fullmatch(text.strip()) if text else None
    if match is None:
        return None, None
    before, number, after = match.groups()
    try:
        amount = to_decimal("price", re.sub(r"\s", "", number).replace(",", "."), digits=14, places=4)
    except Invalid:
        return None, None
    currency = before or after
    return amount, currency.upper() if currency else None


def _address(text: str | None) -> str | None:
    return None if text is None else normal_http_url(text)


def _local(tag: str) -> str:
    """The name without its namespace."""
    return tag.rpartition("}")[2].lower()


def _not_xml(error: ParseError) -> Invalid:
    line, column = error.position
    return Invalid(f"the feed is not well-formed XML (line {line}, column {column})", field="url")
