"""How many of some products somebody bought."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from perigee.segments.comparisons import Comparison
from perigee.segments.leaves.leaf import Effort, Members
from perigee.segments.leaves.purchases import PurchasesLeaf
from perigee.segments.person import Needs, Person
from perigee.segments.sql import Sql, both
from perigee.segments.values import Number
from perigee.segments.world import Catalogue, World

_NUMBER = Number()
_SOME = Comparison("greater", value=0)


class BoughtLeaf(PurchasesLeaf, frozen=True, tag="bought", kw_only=True):
    """`{"is": "bought", "product": [{"by": "brand", "test": …}], "quantity": {"op": "at_least", "value": 2}}`.

    `quantity` is the sum over all items that meet all tests of `product`, 0 for who has none; any at all unless it
    is given. Without `product` all items count, but not what was given back (less than 0). Who did not buy is a `not` around it.
    """

    quantity: Comparison = _SOME

    @property
    def effort(self) -> Effort:
        return Effort.LOOK if self.quantity == _SOME else Effort.COUNT

    def check(self, at: str, catalogue: Catalogue) -> None:
        super().check(at, catalogue)
        _NUMBER.check(self.quantity, f"{at}.quantity")

    def need(self, needs: Needs, catalogue: Catalogue) -> None:
        super().need(needs, catalogue)
        needs.items = True

    def members(self, sql: Sql) -> Members:
        o, i = sql.alias(), sql.alias()
        conditions = [*self.orders_sql(sql, o), *self.items_sql(sql, i), f"{i}.order_id = {o}.order_id"]
        conditions.append(f"{i}.quantity > 0")
        source = f"from orders {o}, order_item {i} where "
        if self.quantity == _SOME:
            return Members(f"select {o}.contact_id {source}{both(conditions)}")
        select = f"select {o}.contact_id {source}{both(conditions)} group by {o}.contact_id having "
        holds = _NUMBER.sql(f"sum({i}.quantity)", self.quantity, sql)
        if _NUMBER.holds(Decimal(0), self.quantity, sql.world.moment):  # who has none is in
            return Members(f"{select}({holds}) is not true", inside=False)
        return Members(f"{select}({holds})")

    def found(self, person: Person, world: World) -> Any:
        return sum(
            (
                item.quantity
                for order in self.taken(person, world)
                for item in order.items
                if item.quantity > 0 and self.takes_item(item, person, world)
            ),
            Decimal(0),
        )

    def holds(self, person: Person, world: World) -> bool:
        return _NUMBER.holds(self.found(person, world), self.quantity, world.moment)
