"""Conditions on what lies in the cart, and on carts and views that led to nothing.

A cart is the last state that the site told, unless it was emptied or something was bought since: an order whose
status is not that of an abandoned cart, or a purchase that the site told.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any, Literal

from perigee.errors import Invalid
from perigee.segments.comparisons import MAX_HOURS, Comparison
from perigee.segments.dates import Period
from perigee.segments.leaves.goods import ProductTest, check_goods
from perigee.segments.leaves.happened import ALWAYS, half_open, of_type, one_of_each
from perigee.segments.leaves.leaf import Effort, Members, Name, SetLeaf
from perigee.segments.leaves.visits import (
    CART,
    PURCHASE,
    VIEW,
    Visit,
    need_goods,
    need_visit,
    things,
    things_sql,
    visits_of,
    with_goods,
    with_goods_sql,
)
from perigee.segments.moments import Instants, Moment
from perigee.segments.person import Event, Needs, Person
from perigee.segments.sql import Sql, both
from perigee.segments.values import Number, as_number, as_number_sql
from perigee.segments.world import Catalogue, World

ABANDONED = "ABANDONED_SHOPPING_CART"
_PERIOD = Period()
_VALUE = Number()


class _LeftLeaf(SetLeaf, frozen=True, kw_only=True):
    """The last thing of a kind that somebody did, with nothing bought since."""

    product: tuple[ProductTest, ...] = ()
    value: Comparison | None = None

    @property
    def effort(self) -> Effort:
        return Effort.COUNT

    @property
    def visit(self) -> Visit:
        return CART

    @abstractmethod
    def window(self, moment: Moment) -> Instants:
        """When the last one must have been."""

    def names(self) -> Iterable[Name]:
        return [("event_type", visit.type) for visit in (VIEW, CART, PURCHASE)]

    def check(self, at: str, catalogue: Catalogue) -> None:
        check_goods(self.product, f"{at}.product")
        if self.value is not None:
            _VALUE.check(self.value, f"{at}.value")

    def need(self, needs: Needs, catalogue: Catalogue) -> None:
        need_goods(needs, catalogue, self.visit, self.product, "price", "quantity")
        need_visit(needs, catalogue, CART)
        need_visit(needs, catalogue, PURCHASE)
        needs.orders = True

    # -- SQL

    def members(self, sql: Sql) -> Members:
        e, last = sql.alias(), sql.alias()
        window = self.window(sql.world.moment)
        rows = [*of_type(sql, e, self.visit.type), *sql.within(f"{e}.occurred_at", half_open(window, "last"))]
        tests = [*sql.within(f"{last}.occurred_at", window), *self._nothing_bought(sql, last, window)]
        if self.visit is VIEW:  # the last view of such a product; of carts the last one of all
            rows.append(with_goods_sql(sql, e, VIEW, self.product))
            tests.append(self._not_in_cart(sql, last, window))
        else:
            tests.append(with_goods_sql(sql, last, CART, self.product))
        if self.value is not None:
            tests.append(_VALUE.sql(_worth_sql(sql, last, self.visit), self.value, sql))
        found = one_of_each(sql, e, "last", rows)
        return Members(f"select {last}.contact_id from ({found}) {last} where {both(tests)}")

    def _nothing_bought(self, sql: Sql, last: str, window: Instants) -> list[str]:
        o, p = sql.alias(), sql.alias()
        ordered = [
            f"{o}.org_id = {sql.org}",
            f"{o}.contact_id = {last}.contact_id",
            f"{o}.ordered_at >= {last}.occurred_at",
            f"{o}.status <> {sql.bind(ABANDONED, 'text')}",
        ]
        purchased = [*of_type(sql, p, PURCHASE.type), *_since(sql, p, last, window)]
        return [
            f"not exists (select from orders {o} where {both(ordered)})",
            f"not exists (select from event {p} where {both(purchased)})",
        ]

    def _not_in_cart(self, sql: Sql, last: str, window: Instants) -> str:
        c = sql.alias()
        filled = [
            *of_type(sql, c, CART.type),
            *_since(sql, c, last, window),
            f"{things_sql(c, CART)} <> '[]'",
        ]
        return f"not exists (select from event {c} where {both(filled)})"

    # -- one person

    def found(self, person: Person, world: World) -> Any:
        """The last of the kind: when, and what its products are worth; nothing if something was bought since."""
        left = self._left(person, world)
        return None if left is None else {"at": left.occurred_at, "value": _worth(left, self.visit)}

    def holds(self, person: Person, world: World) -> bool:
        left, moment = self._left(person, world), world.moment
        return (
            left is not None
            and self.window(moment).holds(left.occurred_at)
            and with_goods(left, self.visit, self.product, person, moment)
            and (self.value is None or _VALUE.holds(_worth(left, self.visit), self.value, moment))
        )

    def _left(self, person: Person, world: World) -> Event | None:
        events = visits_of(person, world.catalogue, self.visit)
        if self.visit is VIEW:
            events = [one for one in events if with_goods(one, VIEW, self.product, person, world.moment)]
        if not events or self._went_on(person, world, events[-1].occurred_at):
            return None
        return events[-1]

    def _went_on(self, person: Person, world: World, at: datetime) -> bool:
        """Whether something was bought since then; after a view, also whether something was put in the cart."""
        purchases = visits_of(person, world.catalogue, PURCHASE)
        carts = visits_of(person, world.catalogue, CART) if self.visit is VIEW else ()
        return (
            any(order.ordered_at >= at and order.status != ABANDONED for order in person.orders)
            or any(event.occurred_at >= at for event in purchases)
            or any(event.occurred_at >= at and things(event, CART) for event in carts)
        )


class CartLeaf(_LeftLeaf, frozen=True, kw_only=True, tag="cart"):
    """`{"is": "cart", "value": {"op": "at_least", "value": 100}, "product": […], "period": …}`: what lies in it now.

    `value` is the sum of price by quantity, in the site's currency; a product without a price counts 0, one without
    a quantity once. `period`: when the cart was changed last. One product must meet all tests of `product`.
    """

    period: Comparison | None = None

    def window(self, moment: Moment) -> Instants:
        return ALWAYS if self.period is None else _PERIOD.window(self.period, moment)

    def check(self, at: str, catalogue: Catalogue) -> None:
        super().check(at, catalogue)
        if self.period is not None:
            _PERIOD.check(self.period, f"{at}.period")


class AbandonedLeaf(_LeftLeaf, frozen=True, kw_only=True, tag="abandoned"):
    """`{"is": "abandoned", "what": "cart", "after_hours": 2, "within_hours": 72}`.

    A cart whose last change is more than `after_hours` and at most `within_hours` ago. Of views: the last view of a
    product that meets the tests is that long ago, and since then nothing was put in the cart either.
    """

    what: Literal["cart", "view"]
    after_hours: int = 1
    within_hours: int = 72

    @property
    def visit(self) -> Visit:
        return VIEW if self.what == "view" else CART

    def window(self, moment: Moment) -> Instants:
        return Instants(
            moment.now - timedelta(hours=self.within_hours), moment.now - timedelta(hours=self.after_hours)
        )

    def relative(self) -> Iterable[Comparison]:
        yield Comparison("last_hours", hours=self.within_hours)

    def check(self, at: str, catalogue: Catalogue) -> None:
        super().check(at, catalogue)
        if not 0 <= self.after_hours < MAX_HOURS:
            raise Invalid.of(
                f"{at}.after_hours", self.after_hours, f"must be a whole number from 0 to {MAX_HOURS - 1}"
            )
        if not self.after_hours < self.within_hours <= MAX_HOURS:
            rule = f"must be a whole number above after_hours, at most {MAX_HOURS}"
            raise Invalid.of(f"{at}.within_hours", self.within_hours, rule)


def _since(sql: Sql, e: str, last: str, window: Instants) -> list[str]:
    """Events of the same contact since the last one; the window's start leaves partitions out."""
    start = sql.within(f"{e}.occurred_at", Instants(window.start, None))
    return [f"{e}.contact_id = {last}.contact_id", f"{e}.occurred_at >= {last}.occurred_at", *start]


def _worth_sql(sql: Sql, e: str, visit: Visit) -> str:
    one = sql.alias()
    price, quantity = (as_number_sql(f"({one}.item ->> '{name}')") for name in ("price", "quantity"))
    return (
        f"(select coalesce(sum(coalesce({price}, 0) * coalesce({quantity}, 1)), 0) "
        f"from jsonb_array_elements({things_sql(e, visit)}) {one} (item))"
    )


def _worth(event: Event, visit: Visit) -> Decimal:
    with localcontext(prec=200):  # numbers of JSON may have 60 digits, and are exact in SQL
        return sum(
            (
                (as_number(thing.get("price")) or Decimal(0))
                * (Decimal(1) if (number := as_number(thing.get("quantity"))) is None else number)
                for thing in things(event, visit)
            ),
            Decimal(0),
        )
