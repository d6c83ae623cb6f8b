"""Conditions on products that somebody was interested in and that changed since (product 4: back in stock, price drop)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from perigee.errors import Invalid
from perigee.segments.comparisons import MAX_DAYS, Comparison
from perigee.segments.dates import Period
from perigee.segments.leaves.goods import ProductTest, check_goods
from perigee.segments.leaves.happened import of_type
from perigee.segments.leaves.leaf import Effort, Members, Name, SetLeaf
from perigee.segments.leaves.visits import (
    VISITS,
    Visit,
    need_visit,
    product_id_sql,
    things,
    things_sql,
    visits_of,
)
from perigee.segments.moments import Moment
from perigee.segments.person import Change, Needs, Person, Product, product_id_of
from perigee.segments.sql import Sql, both
from perigee.segments.world import Catalogue, World

_PERIOD = Period()


class ProductChangeLeaf(SetLeaf, frozen=True, kw_only=True, tag="product_change"):
    """`{"is": "product_change", "change": "price_drop", "percent": 10, "period": {"op": "last_days", "days": 3}}`.

    Somebody viewed a product, put it in the cart or on the wishlist (`interest`) at most `interest_days` ago, and
    later, in `period`, it came back in stock and still is, or its price fell by `percent` or more, it costs no more
    now and is not sold out. The product must meet all tests of `product`.
    """

    change: Literal["back_in_stock", "price_drop"]
    percent: int = 0
    period: Comparison = Comparison("last_days", days=3)
    interest: tuple[Literal["product", "wishlist", "cart"], ...] = ("product", "wishlist", "cart")
    interest_days: int = 90
    product: tuple[ProductTest, ...] = ()

    @property
    def effort(self) -> Effort:
        return Effort.LOOK

    @property
    def _visits(self) -> Sequence[Visit]:
        return [VISITS[what] for what in self.interest]

    def names(self) -> Iterable[Name]:
        return [("event_type", visit.type) for visit in self._visits]

    def check(self, at: str, catalogue: Catalogue) -> None:
        if not 0 <= self.percent <= 99 or (self.percent and self.change != "price_drop"):
            rule = "must be a whole number from 0 to 99, and is only taken by 'price_drop'"
            raise Invalid.of(f"{at}.percent", self.percent, rule)
        _PERIOD.check(self.period, f"{at}.period")
        if not self.interest or len(set(self.interest)) < len(self.interest):
            raise Invalid(f"{at}.interest: must hold 1 to 3 kinds, each once", field=f"{at}.interest")
        if not 1 <= self.interest_days <= MAX_DAYS:
            raise Invalid.of(
                f"{at}.interest_days", self.interest_days, f"must be a whole number from 1 to {MAX_DAYS}"
            )
        check_goods(self.product, f"{at}.product")

    def relative(self) -> Iterable[Comparison]:
        yield self._interested

    def need(self, needs: Needs, catalogue: Catalogue) -> None:
        for visit in self._visits:
            need_visit(needs, catalogue, visit)
        needs.products = needs.changes = True

    @property
    def _interested(self) -> Comparison:
        return Comparison("last_days", days=self.interest_days)

    # -- SQL

    def members(self, sql: Sql) -> Members:
        """The changed products are few and worked out once, each with its last change: who was interested before any
        of several changes was so before the last."""
        changed, c, who = sql.alias(), sql.alias(), sql.alias()
        changes = (
            f"select {c}.product_id, max({c}.changed_at) as latest from product_change {c} "
            f"where {both(self._change_sql(sql, c))} group by {c}.product_id"
        )
        interested = " union all ".join(self._interest_sql(sql, visit, changed) for visit in self._visits)
        return Members(
            f"select {who}.contact_id from (with {changed} as materialized ({changes}) {interested}) {who}"
        )

    def _interest_sql(self, sql: Sql, visit: Visit, changed: str) -> str:
        e, one = sql.alias(), sql.alias()
        conditions = [
            *of_type(sql, e, visit.type),
            *sql.within(f"{e}.occurred_at", _PERIOD.window(self._interested, sql.world.moment)),
            f"{changed}.product_id = {product_id_sql(f'{one}.item')}",
            f"{changed}.latest > {e}.occurred_at",
        ]
        items = f"jsonb_array_elements({things_sql(e, visit)}) {one} (item)"
        return f"select {e}.contact_id from event {e}, {items}, {changed} where {both(conditions)}"

    def _change_sql(self, sql: Sql, c: str) -> list[str]:
        p = sql.alias()
        now = [f"{p}.org_id = {sql.org}", f"{p}.product_id = {c}.product_id"]
        if self.change == "back_in_stock":
            changed = [f"{c}.in_stock", f"not {c}.old_in_stock"]
            now.append(f"{p}.in_stock")
        else:
            changed = [
                f"{c}.price < {c}.old_price",
                f"{c}.price * 100 <= {c}.old_price * {sql.bind(100 - self.percent, 'bigint')}",
            ]
            now += [f"{p}.price <= {c}.price", f"{p}.in_stock is not false"]
            now.append(f"{p}.currency is not distinct from {c}.currency")
        now += [test.sql(sql, p) for test in self.product]
        return [
            f"{c}.org_id = {sql.org}",
            *sql.within(f"{c}.changed_at", _PERIOD.window(self.period, sql.world.moment)),
            *changed,
            f"exists (select from product {p} where {both(now)})",
        ]

    # -- one person

    def found(self, person: Person, world: World) -> Any:
        """The products."""
        return sorted(self._changed(person, world))

    def holds(self, person: Person, world: World) -> bool:
        return bool(self._changed(person, world))

    def _changed(self, person: Person, world: World) -> set[str]:
        interested = _PERIOD.window(self._interested, world.moment)
        found = set()
        for visit in self._visits:
            for event in visits_of(person, world.catalogue, visit):
                if not interested.holds(event.occurred_at):
                    continue
                for product_id in filter(None, map(product_id_of, things(event, visit))):
                    product = person.products.get(product_id)
                    if product is not None and any(
                        change.at > event.occurred_at
                        and self._takes(change, product_id, product, world.moment)
                        for change in product.changes
                    ):
                        found.add(product_id)
        return found

    def _takes(self, change: Change, product_id: str, product: Product, moment: Moment) -> bool:
        if not _PERIOD.holds(change.at, self.period, moment):
            return False
        if self.change == "back_in_stock":
            holds = change.in_stock is True and change.old_in_stock is False and product.in_stock is True
        else:
            holds = self._cheaper(change, product)
        return holds and all(test.holds(product_id, product, moment) for test in self.product)

    def _cheaper(self, change: Change, product: Product) -> bool:
        if change.old_price is None or change.price is None or product.price is None:
            return False
        return (
            change.price < change.old_price
            and change.price * 100 <= change.old_price * (100 - self.percent)
            and product.price <= change.price
            and product.in_stock is not False
            and product.currency == change.currency
        )
