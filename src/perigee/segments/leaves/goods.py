"""Conditions on products: of what somebody viewed, put in the cart or bought. Pure.

An event or an order names a product by its id; everything else is what the shop's feed, its plugin or its orders
say about it now. A product of which nothing is known meets no test but those of its id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from perigee.errors import Invalid
from perigee.segments.comparisons import Comparison, ValueKind, check_text
from perigee.segments.moments import Moment
from perigee.segments.person import Product
from perigee.segments.sql import Sql, both
from perigee.segments.values import Number, Text

MAX_TESTS = 10
_ID = Text(folded=False)
_WORDS = Text(folded=True)


class _Fact(NamedTuple):
    """A fact about a product that has one value."""

    kind: ValueKind
    sql: str
    read: Callable[[Product], Any]


def _stock(product: Product) -> str | None:
    return None if product.in_stock is None else str(product.in_stock).lower()


_FACTS: Mapping[str, _Fact] = {
    "name": _Fact(_WORDS, "{p}.name", lambda product: product.name),
    "brand": _Fact(_WORDS, "{p}.brand", lambda product: product.brand),
    "url": _Fact(_ID, "{p}.url", lambda product: product.url),
    "price": _Fact(Number(), "{p}.price", lambda product: product.price),
    "in_stock": _Fact(_ID, "{p}.in_stock::text", _stock),
}
_LISTS: Mapping[str, Callable[[Product, str], Sequence[str]]] = {
    "category": lambda product, tag: product.categories,
    "tag": lambda product, tag: product.tags.get(tag, ()),
}

By = Literal["id", "name", "brand", "category", "price", "in_stock", "url", "tag"]


class ProductTest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`{"by": "category", "test": {"op": "contains", "value": "Mugs"}}`; `{"by": "tag", "tag": "color", "test": …}`.

    Of several categories, and of several values of a tag, one must meet the test. `price` is in the product's own
    currency; `in_stock` is the text `true` or `false`.
    """

    by: By
    test: Comparison
    tag: str | None = None

    @property
    def kind(self) -> ValueKind:
        if self.by == "id":
            return _ID
        return _WORDS if self.by in _LISTS else _FACTS[self.by].kind

    def check(self, at: str) -> None:
        self.kind.check(self.test, f"{at}.test")
        if (self.by == "tag") != (self.tag is not None):
            raise Invalid(f"{at}.tag: is given with 'tag', and only with it", field=f"{at}.tag")
        if self.tag is not None:
            check_text(self.tag, f"{at}.tag", 100)

    def sql(self, sql: Sql, p: str) -> str:
        """About a row of `product`."""
        if self.by == "id":
            return _ID.sql(f"{p}.product_id", self.test, sql)
        if self.by not in _LISTS:
            fact = _FACTS[self.by]
            return fact.kind.sql(fact.sql.format(p=p), self.test, sql)
        listed = f"{p}.categories" if self.by == "category" else f"{p}.tags -> {sql.bind(self.tag, 'text')}"
        test = Comparison("filled") if self.test.op == "empty" else self.test
        one = sql.alias()
        some = (
            f"exists (select from jsonb_array_elements_text({listed}) {one} (value) "
            f"where {_WORDS.sql(f'{one}.value', test, sql)})"
        )
        return f"not {some}" if self.test.op == "empty" else some

    def holds(self, product_id: str | None, product: Product | None, moment: Moment) -> bool:
        """About a product; None: nothing is known of it."""
        if self.by == "id":
            return _ID.holds(product_id, self.test, moment)
        if product is None:
            return False
        if self.by not in _LISTS:
            return self.kind.holds(_FACTS[self.by].read(product), self.test, moment)
        values = _LISTS[self.by](product, self.tag or "")
        if self.test.op == "empty":
            return not any(values)
        return any(_WORDS.holds(value, self.test, moment) for value in values)


def check_goods(tests: tuple[ProductTest, ...], at: str) -> None:
    if len(tests) > MAX_TESTS:
        raise Invalid(f"{at}: has {len(tests)} tests, the most are {MAX_TESTS}", field=at)
    for n, test in enumerate(tests):
        test.check(f"{at}[{n}]")


def ask_products(tests: tuple[ProductTest, ...]) -> bool:
    """Whether the products must be looked up: more is asked than their ids."""
    return any(test.by != "id" for test in tests)


def goods_sql(sql: Sql, product_id: str, tests: Iterable[ProductTest]) -> list[str]:
    """That the product of this id (an expression) meets all tests."""
    found = [_ID.sql(product_id, test.test, sql) for test in tests if test.by == "id"]
    others = [test for test in tests if test.by != "id"]
    if others:
        p = sql.alias()
        conditions = [f"{p}.org_id = {sql.org}", *(test.sql(sql, p) for test in others)]
        found.append(f"{product_id} in (select {p}.product_id from product {p} where {both(conditions)})")
    return found


def goods_hold(
    product_id: str | None, tests: Iterable[ProductTest], products: Mapping[str, Product], moment: Moment
) -> bool:
    """The same for one product."""
    product = products.get(product_id or "")
    return all(test.holds(product_id, product, moment) for test in tests)
