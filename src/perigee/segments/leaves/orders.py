"""Conditions on purchases (product 4 and 9): only delivered orders count unless others are asked for.

Without a period and explicit statuses the answer comes from `contact_orders`, the facts kept per contact; else
from the orders themselves. Sums are of the organisation's currency (see the tables).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

from perigee.errors import Invalid
from perigee.segments.comparisons import Comparison, ValueKind, check_text
from perigee.segments.dates import Instant, Period
from perigee.segments.leaves.counting import COUNT, effort, happened
from perigee.segments.leaves.leaf import Effort, Members, SetLeaf
from perigee.segments.person import NO_ORDERS, Needs, Order, OrderSums, Person
from perigee.segments.sql import Sql, both
from perigee.segments.values import Number
from perigee.segments.world import Catalogue, World

DELIVERED = "DELIVERED"
NOT_PLACED = ("CANCELLED", "ABANDONED_SHOPPING_CART")
_DIGITS = Decimal("0.0001")
_PERIOD = Period()

Measure = Literal["count", "total", "average", "first", "last"]
_KINDS: Mapping[Measure, ValueKind] = {
    "count": COUNT,
    "total": Number(),
    "average": Number(),
    "first": Instant(),
    "last": Instant(),
}
# The columns of contact_orders behind each measure, by which orders are asked for.
_SUMS: Mapping[str, Mapping[Measure, str]] = {
    "delivered": {
        "count": "{o}.delivered",
        "total": "{o}.delivered_total",
        "average": "round({o}.delivered_total / nullif({o}.delivered, 0), 4)",
        "first": "{o}.delivered_first",
        "last": "{o}.delivered_last",
    },
    "placed": {
        "count": "{o}.orders",
        "total": "{o}.total",
        "average": "round({o}.total / nullif({o}.orders, 0), 4)",
        "first": "{o}.first_at",
        "last": "{o}.last_at",
    },
}


class OrdersLeaf(SetLeaf, frozen=True, tag="orders"):
    """`{"is": "orders", "measure": "count", "test": {"op": "at_least", "value": 2}}`.

    `which`: `delivered` (the default), `placed` (all but cancelled ones and abandoned carts), or a list of
    statuses. `period`: only orders made then. Average is total by count, to four digits behind the point. Who has
    no orders has a count and a total of 0, and no average and dates.
    """

    measure: Measure
    test: Comparison
    which: Literal["delivered", "placed"] | tuple[str, ...] = "delivered"
    period: Comparison | None = None

    def check(self, at: str, catalogue: Catalogue) -> None:
        _KINDS[self.measure].check(self.test, f"{at}.test")
        if self.period is not None:
            _PERIOD.check(self.period, f"{at}.period")
        if isinstance(self.which, tuple):
            if not 1 <= len(self.which) <= 20:
                raise Invalid(f"{at}.which: must hold 1 to 20 statuses, has {len(self.which)}")
            for n, status in enumerate(self.which):
                check_text(status, f"{at}.which[{n}]", 100)

    @property
    def effort(self) -> Effort:
        if not self._narrowed:
            return Effort.SMALL
        return effort(self.test) if self.measure == "count" else Effort.COUNT

    @property
    def _narrowed(self) -> bool:
        return self.period is not None or isinstance(self.which, tuple)

    def need(self, needs: Needs, catalogue: Catalogue) -> None:
        if self._narrowed:
            needs.orders = True
        else:
            needs.order_sums = True

    # -- SQL

    def members(self, sql: Sql) -> Members:
        o = sql.alias()
        if not self._narrowed:
            assert isinstance(self.which, str)
            value = _SUMS[self.which][self.measure].format(o=o)
            holds = _KINDS[self.measure].sql(value, self.test, sql)
            return self._either_side(
                sql, f"select {o}.contact_id from contact_orders {o} where {o}.org_id = {sql.org} and ", holds
            )
        source = f"from orders {o} where {both(self._narrow(sql, o))}"
        if self.measure == "count":
            return happened(sql, self.test, f"{o}.contact_id", source)
        holds = _KINDS[self.measure].sql(self._aggregate(sql, o), self.test, sql)
        return self._either_side(
            sql, f"select {o}.contact_id {source} group by {o}.contact_id having ", holds
        )

    def _either_side(self, sql: Sql, start: str, holds: str) -> Members:
        """Those without a row are outside the set, so the set is of the side where they are not."""
        nobody = self._measured(NO_ORDERS)
        if _KINDS[self.measure].holds(nobody, self.test, sql.world.moment):
            return Members(f"{start}({holds}) is not true", inside=False)
        return Members(f"{start}({holds})")

    def _narrow(self, sql: Sql, o: str) -> list[str]:
        conditions = [
            f"{o}.org_id = {sql.org}",
            f"{o}.contact_id is not null",
            *sql.among(f"{o}.contact_id"),
        ]
        if isinstance(self.which, tuple):
            conditions.append(f"{o}.status = any({sql.bind(list(self.which), 'text[]')})")
        elif self.which == "delivered":
            conditions.append(f"{o}.status = {sql.bind(DELIVERED, 'text')}")
        else:
            conditions.append(f"{o}.status <> all({sql.bind(list(NOT_PLACED), 'text[]')})")
        if self.period is not None:
            conditions += sql.within(f"{o}.ordered_at", _PERIOD.window(self.period, sql.world.moment))
        return conditions

    def _aggregate(self, sql: Sql, o: str) -> str:
        if self.measure in ("first", "last"):
            return f"{'min' if self.measure == 'first' else 'max'}({o}.ordered_at)"
        currency = sql.bind(sql.world.catalogue.currency, "text")
        total = f"coalesce(sum({o}.total) filter (where {o}.currency = {currency}), 0)"
        return total if self.measure == "total" else f"round({total} / count(*), 4)"

    # -- one person

    def found(self, person: Person, world: World) -> Any:
        return self._measured(self._sums(person, world))

    def holds(self, person: Person, world: World) -> bool:
        return _KINDS[self.measure].holds(self.found(person, world), self.test, world.moment)

    def _measured(self, sums: OrderSums) -> Decimal | datetime | int | None:
        match self.measure:
            case "count":
                return sums.number
            case "total":
                return sums.total
            case "first":
                return sums.first
            case "last":
                return sums.last
        return (sums.total / sums.number).quantize(_DIGITS, ROUND_HALF_UP) if sums.number else None

    def _sums(self, person: Person, world: World) -> OrderSums:
        if not self._narrowed:
            return person.delivered if self.which == "delivered" else person.placed
        return summed(
            [order for order in person.orders if self._takes(order, world)], world.catalogue.currency
        )

    def _takes(self, order: Order, world: World) -> bool:
        if isinstance(self.which, tuple):
            taken = order.status in self.which
        elif self.which == "delivered":
            taken = order.status == DELIVERED
        else:
            taken = order.status not in NOT_PLACED
        return taken and (self.period is None or _PERIOD.holds(order.ordered_at, self.period, world.moment))


def summed(orders: Sequence[Order], currency: str) -> OrderSums:
    if not orders:
        return NO_ORDERS
    times = [order.ordered_at for order in orders]
    total = sum((order.total for order in orders if order.currency == currency), Decimal(0))
    return OrderSums(len(orders), total, min(times), max(times))
