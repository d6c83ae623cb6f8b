"""Who buys a product again and again, and when the next purchase is due (product 4: regular demand)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from perigee.errors import Invalid
from perigee.segments.comparisons import Comparison
from perigee.segments.dates import Period
from perigee.segments.leaves.leaf import Effort, Members
from perigee.segments.leaves.purchases import PurchasesLeaf
from perigee.segments.moments import Instants
from perigee.segments.person import Needs, Person
from perigee.segments.sql import Sql, both
from perigee.segments.world import Catalogue, World

MOST = 100
_PERIOD = Period()


class _Demand(NamedTuple):
    """Purchases of one product."""

    number: int
    first: datetime
    last: datetime

    @property
    def due(self) -> datetime:
        return self.last + (self.last - self.first) / (self.number - 1)

    def within(self, window: Instants) -> bool:
        """Whether it is due then: multiplied out, because SQL would round the quotient otherwise than we do."""
        span, times = self.last - self.first, self.number - 1
        return (window.start is None or span >= (window.start - self.last) * times) and (
            window.end is None or span < (window.end - self.last) * times
        )


class RegularDemandLeaf(PurchasesLeaf, frozen=True, kw_only=True, tag="regular_demand"):
    """`{"is": "regular_demand", "product": [{"by": "category", "test": …}], "due": {"op": "next_days", "days": 3}}`.

    A product that meets all tests was bought in `least` or more orders. The next purchase is due the mean time
    between them after the last one: (last - first) / (orders - 1). `due`: when that is.
    """

    due: Comparison = Comparison("next_days", days=3)
    least: int = 2

    @property
    def effort(self) -> Effort:
        return Effort.COUNT

    def check(self, at: str, catalogue: Catalogue) -> None:
        super().check(at, catalogue)
        _PERIOD.check(self.due, f"{at}.due")
        if not 2 <= self.least <= MOST:
            raise Invalid.of(f"{at}.least", self.least, f"must be a whole number from 2 to {MOST}")

    def need(self, needs: Needs, catalogue: Catalogue) -> None:
        super().need(needs, catalogue)
        needs.items = True

    def members(self, sql: Sql) -> Members:
        o, i, d = sql.alias(), sql.alias(), sql.alias()
        bought = [*self.orders_sql(sql, o), *self.items_sql(sql, i), f"{i}.order_id = {o}.order_id"]
        demand = (
            f"select {o}.contact_id, count(distinct {o}.order_id) as number, min({o}.ordered_at) as since, "
            f"max({o}.ordered_at) as latest from orders {o}, order_item {i} "
            f"where {both([*bought, f'{i}.quantity > 0'])} group by {o}.contact_id, {i}.external_item_id "
            f"having count(distinct {o}.order_id) >= {sql.bind(self.least, 'bigint')} "
            f"and min({o}.ordered_at) < max({o}.ordered_at)"
        )
        window = _PERIOD.window(self.due, sql.world.moment)
        span, times = f"extract(epoch from {d}.latest - {d}.since)", f"({d}.number - 1)"
        due = [
            f"{span} {sign} extract(epoch from {sql.bind(border, 'timestamptz')} - {d}.latest) * {times}"
            for sign, border in ((">=", window.start), ("<", window.end))
            if border is not None
        ]
        return Members(f"select {d}.contact_id from ({demand}) {d} where {both(due)}")

    def found(self, person: Person, world: World) -> Any:
        """By product, when the next purchase is due."""
        return {product_id: demand.due for product_id, demand in self._demands(person, world)}

    def holds(self, person: Person, world: World) -> bool:
        window = _PERIOD.window(self.due, world.moment)
        return any(demand.within(window) for _, demand in self._demands(person, world))

    def _demands(self, person: Person, world: World) -> Iterator[tuple[str, _Demand]]:
        times: dict[str, list[datetime]] = defaultdict(list)
        for order in self.taken(person, world):
            bought = {item.product_id for item in order.items if item.quantity > 0}
            for item in order.items:
                if item.product_id in bought and self.takes_item(item, person, world):
                    times[item.product_id].append(order.ordered_at)
                    bought.remove(item.product_id)
        for product_id, at in times.items():
            if len(at) >= self.least and min(at) < max(at):
                yield product_id, _Demand(len(at), min(at), max(at))
