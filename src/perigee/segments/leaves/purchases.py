"""Which orders a condition on purchases speaks of (product 4 and 9): only delivered ones unless others are asked for."""

from __future__ import annotations

from typing import Literal

from perigee.errors import Invalid
from perigee.segments.comparisons import Comparison, check_text
from perigee.segments.dates import Period
from perigee.segments.leaves.goods import ProductTest, ask_products, check_goods, goods_hold, goods_sql
from perigee.segments.leaves.leaf import SetLeaf
from perigee.segments.person import Item, Needs, Order, Person
from perigee.segments.sql import Sql, both
from perigee.segments.world import Catalogue, World

DELIVERED = "DELIVERED"
NOT_PLACED = ("CANCELLED", "ABANDONED_SHOPPING_CART")
_PERIOD = Period()


class PurchasesLeaf(SetLeaf, frozen=True, kw_only=True):
    """`which`: `delivered` (the default), `placed` (all but cancelled ones and abandoned carts), or a list of
    statuses. `period`: only orders made then. `source`, `currency`: only such orders. `product`: only orders with an
    item that meets all tests.
    """

    which: Literal["delivered", "placed"] | tuple[str, ...] = "delivered"
    period: Comparison | None = None
    source: Literal["online", "offline"] | None = None
    currency: str | None = None
    product: tuple[ProductTest, ...] = ()

    @property
    def narrowed(self) -> bool:
        """More is asked than which of the two sums kept per contact."""
        given = (self.period, self.source, self.currency)
        return isinstance(self.which, tuple) or bool(self.product) or any(one is not None for one in given)

    def check(self, at: str, catalogue: Catalogue) -> None:
        if self.period is not None:
            _PERIOD.check(self.period, f"{at}.period")
        if isinstance(self.which, tuple):
            if not 1 <= len(self.which) <= 20:
                raise Invalid(f"{at}.which: must hold 1 to 20 statuses, has {len(self.which)}")
            for n, status in enumerate(self.which):
                check_text(status, f"{at}.which[{n}]", 100)
        if self.currency is not None and not (self.currency.isascii() and self.currency.isupper()):
            raise Invalid.of(f"{at}.currency", self.currency, "must be a code of a currency, as EUR")
        check_goods(self.product, f"{at}.product")

    def need(self, needs: Needs, catalogue: Catalogue) -> None:
        needs.orders = True
        needs.items |= bool(self.product)
        needs.products |= ask_products(self.product)

    def orders_sql(self, sql: Sql, o: str) -> list[str]:
        """Conditions on rows of `orders`, without those on items."""
        found = [f"{o}.org_id = {sql.org}", f"{o}.contact_id is not null", *sql.among(f"{o}.contact_id")]
        if isinstance(self.which, tuple):
            found.append(f"{o}.status = any({sql.bind(list(self.which), 'text[]')})")
        elif self.which == "delivered":
            found.append(f"{o}.status = {sql.bind(DELIVERED, 'text')}")
        else:
            found.append(f"{o}.status <> all({sql.bind(list(NOT_PLACED), 'text[]')})")
        if self.period is not None:
            found += sql.within(f"{o}.ordered_at", _PERIOD.window(self.period, sql.world.moment))
        if self.source is not None:
            found.append(f"{o}.source = {sql.bind(self.source, 'text')}")
        if self.currency is not None:
            found.append(f"{o}.currency = {sql.bind(self.currency, 'text')}")
        return found

    def items_sql(self, sql: Sql, i: str) -> list[str]:
        """Conditions on rows of `order_item`."""
        return [f"{i}.org_id = {sql.org}", *goods_sql(sql, f"{i}.external_item_id", self.product)]

    def with_items_sql(self, sql: Sql, o: str) -> list[str]:
        """`orders_sql`, and that the order has an item of the kind."""
        found = self.orders_sql(sql, o)
        if self.product:
            i = sql.alias()
            items = f"select {i}.order_id from order_item {i} where {both(self.items_sql(sql, i))}"
            found.append(f"{o}.order_id in ({items})")
        return found

    def taken(self, person: Person, world: World) -> list[Order]:
        """The orders that `with_items_sql` finds."""
        return [
            order
            for order in person.orders
            if self._takes(order, world)
            and (not self.product or any(self.takes_item(item, person, world) for item in order.items))
        ]

    def takes_item(self, item: Item, person: Person, world: World) -> bool:
        return goods_hold(item.product_id, self.product, person.products, world.moment)

    def _takes(self, order: Order, world: World) -> bool:
        if isinstance(self.which, tuple):
            taken = order.status in self.which
        elif self.which == "delivered":
            taken = order.status == DELIVERED
        else:
            taken = order.status not in NOT_PLACED
        return (
            taken
            and (self.period is None or _PERIOD.holds(order.ordered_at, self.period, world.moment))
            and self.source in (None, order.source)
            and self.currency in (None, order.currency)
        )
