"""Conditions on what somebody did on the site."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from perigee.errors import Invalid
from perigee.segments.comparisons import Comparison
from perigee.segments.dates import Period
from perigee.segments.leaves.clock import check_clock, clock_holds, clock_sql
from perigee.segments.leaves.counting import COUNT, ONCE, effort, happened
from perigee.segments.leaves.goods import ProductTest, check_goods
from perigee.segments.leaves.happened import of_type
from perigee.segments.leaves.leaf import Effort, Members, Name, SetLeaf
from perigee.segments.leaves.visits import (
    VISITS,
    Visit,
    need_goods,
    text_of,
    text_sql,
    visits_of,
    with_goods,
    with_goods_sql,
)
from perigee.segments.person import Event, Needs, Person
from perigee.segments.sql import Sql, both
from perigee.segments.values import Text
from perigee.segments.world import Catalogue, World

_PERIOD = Period()
_TEXTS = {"page": Text(folded=False), "category": Text(folded=False), "search": Text(folded=True)}
_PRODUCTS = ("product", "products")


class SiteLeaf(SetLeaf, frozen=True, kw_only=True, tag="site"):
    """`{"is": "site", "what": "product", "product": [{"by": "brand", "test": …}], "times": …, "period": …}`.

    Once or more often, whenever, unless said otherwise. `product` asks for a product that meets all tests (views,
    the wishlist, impressions, carts, purchases); `test` for the address of a page, the key of a category or the
    words of a search. A type of event that the site has not sent yet happened to nobody.
    """

    what: Literal[
        "page",
        "main_page",
        "cart_page",
        "not_found",
        "category",
        "search",
        "product",
        "wishlist",
        "impression",
        "cart",
        "purchase",
    ]
    test: Comparison | None = None
    product: tuple[ProductTest, ...] = ()
    times: Comparison = ONCE
    period: Comparison | None = None
    hours: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = ()

    @property
    def _visit(self) -> Visit:
        return VISITS[self.what]

    @property
    def _asks_goods(self) -> bool:
        """An emptied cart is no cart."""
        return bool(self.product) or self.what == "cart"

    @property
    def effort(self) -> Effort:
        return effort(self.times)

    def names(self) -> Iterable[Name]:
        yield "event_type", self._visit.type

    def check(self, at: str, catalogue: Catalogue) -> None:
        if self.test is not None:
            if self._visit.about not in _TEXTS:
                raise Invalid(f"{at}.test: is not taken by '{self.what}'", field=f"{at}.test")
            _TEXTS[self._visit.about].check(self.test, f"{at}.test")
        if self.product and self._visit.about not in _PRODUCTS:
            raise Invalid(f"{at}.product: is not taken by '{self.what}'", field=f"{at}.product")
        check_goods(self.product, f"{at}.product")
        COUNT.check(self.times, f"{at}.times")
        if self.period is not None:
            _PERIOD.check(self.period, f"{at}.period")
        check_clock(self.hours, self.weekdays, at)

    def need(self, needs: Needs, catalogue: Catalogue) -> None:
        need_goods(needs, catalogue, self._visit, self.product)

    def members(self, sql: Sql) -> Members:
        e = sql.alias()
        conditions = of_type(sql, e, self._visit.type)
        if self.period is not None:
            conditions += sql.within(f"{e}.occurred_at", _PERIOD.window(self.period, sql.world.moment))
        conditions += clock_sql(sql, f"{e}.occurred_at", self.hours, self.weekdays)
        if self.test is not None:
            conditions.append(_TEXTS[self._visit.about].sql(text_sql(e, self._visit), self.test, sql))
        if self._asks_goods:
            conditions.append(with_goods_sql(sql, e, self._visit, self.product))
        return happened(sql, self.times, f"{e}.contact_id", f"from event {e} where {both(conditions)}")

    def found(self, person: Person, world: World) -> Any:
        events = visits_of(person, world.catalogue, self._visit)
        return sum(self._takes(event, person, world) for event in events)

    def holds(self, person: Person, world: World) -> bool:
        return COUNT.holds(self.found(person, world), self.times, world.moment)

    def _takes(self, event: Event, person: Person, world: World) -> bool:
        moment, visit = world.moment, self._visit
        return (
            (self.period is None or _PERIOD.holds(event.occurred_at, self.period, moment))
            and clock_holds(event.occurred_at, self.hours, self.weekdays, moment)
            and (self.test is None or _TEXTS[visit.about].holds(text_of(event, visit), self.test, moment))
            and (not self._asks_goods or with_goods(event, visit, self.product, person, moment))
        )
