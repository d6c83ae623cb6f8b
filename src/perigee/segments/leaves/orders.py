"""Conditions on the number, the sum and the dates of somebody's orders.

Of all delivered and of all placed orders the answer comes from `contact_orders`, the facts kept per contact; else
from the orders themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

from perigee.segments.comparisons import Comparison, ValueKind
from perigee.segments.dates import Instant
from perigee.segments.leaves.counting import COUNT, effort, happened
from perigee.segments.leaves.leaf import Effort, Members
from perigee.segments.leaves.purchases import PurchasesLeaf
from perigee.segments.person import NO_ORDERS, Needs, Order, OrderSums, Person
from perigee.segments.sql import Sql, both
from perigee.segments.values import Number
from perigee.segments.world import Catalogue, World

_DIGITS = Decimal("0.0001")

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


class OrdersLeaf(PurchasesLeaf, frozen=True, tag="orders", kw_only=True):
    """`{"is": "orders", "measure": "count", "test": {"op": "at_least", "value": 2}}`.

    Average is total by count, to four digits behind the point. Sums are of the organisation's currency, or of the
    one that is asked for. Who has no orders has a count and a total of 0, and no average and dates.
    """

    measure: Measure
    test: Comparison

    def check(self, at: str, catalogue: Catalogue) -> None:
        _KINDS[self.measure].check(self.test, f"{at}.test")
        super().check(at, catalogue)

    @property
    def effort(self) -> Effort:
        if not self.narrowed:
            return Effort.SMALL
        return effort(self.test) if self.measure == "count" else Effort.COUNT

    def need(self, needs: Needs, catalogue: Catalogue) -> None:
        if self.narrowed:
            super().need(needs, catalogue)
        else:
            needs.order_sums = True

    # -- SQL

    def members(self, sql: Sql) -> Members:
        o = sql.alias()
        if not self.narrowed:
            assert isinstance(self.which, str)
            value = _SUMS[self.which][self.measure].format(o=o)
            holds = _KINDS[self.measure].sql(value, self.test, sql)
            return self._either_side(
                sql, f"select {o}.contact_id from contact_orders {o} where {o}.org_id = {sql.org} and ", holds
            )
        source = f"from orders {o} where {both(self.with_items_sql(sql, o))}"
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

    def _aggregate(self, sql: Sql, o: str) -> str:
        if self.measure in ("first", "last"):
            return f"{'min' if self.measure == 'first' else 'max'}({o}.ordered_at)"
        currency = sql.bind(self.currency or sql.world.catalogue.currency, "text")
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
        if not self.narrowed:
            return person.delivered if self.which == "delivered" else person.placed
        return summed(self.taken(person, world), self.currency or world.catalogue.currency)


def summed(orders: Sequence[Order], currency: str) -> OrderSums:
    if not orders:
        return NO_ORDERS
    times = [order.ordered_at for order in orders]
    total = sum((order.total for order in orders if order.currency == currency), Decimal(0))
    return OrderSums(len(orders), total, min(times), max(times))
