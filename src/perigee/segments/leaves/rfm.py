"""Where somebody stands in the RFM grids (product 9), as `perigee.rfm` keeps it."""

from __future__ import annotations

from typing import Any

from perigee.errors import Invalid
from perigee.rfm.cells import COLUMNS, ROWS, Grid
from perigee.segments.comparisons import Comparison
from perigee.segments.dates import Period
from perigee.segments.leaves.leaf import Members, SetLeaf
from perigee.segments.person import Needs, Person, RfmPlace
from perigee.segments.sql import Sql, both
from perigee.segments.world import Catalogue, World

_PERIOD = Period()


class RfmLeaf(SetLeaf, frozen=True, kw_only=True, tag="rfm"):
    """`{"is": "rfm", "grid": "sales", "recency": [1, 2], "frequency": [4, 5]}`.

    Columns and rows are counted from 1: recency 1 is the latest, frequency 1 is once; none named is all of them.
    `since`: when somebody came into the cell. Who never bought, or opened, stands nowhere.
    """

    grid: Grid
    recency: tuple[int, ...] = ()
    frequency: tuple[int, ...] = ()
    since: Comparison | None = None

    def check(self, at: str, catalogue: Catalogue) -> None:
        for name, given, most in (("recency", self.recency, COLUMNS), ("frequency", self.frequency, ROWS)):
            for n, number in enumerate(given):
                if not 1 <= number <= most:
                    raise Invalid.of(f"{at}.{name}[{n}]", number, f"must be a whole number from 1 to {most}")
            if len(set(given)) < len(given):
                raise Invalid(f"{at}.{name}: names one of them twice", field=f"{at}.{name}")
        if self.since is not None:
            _PERIOD.check(self.since, f"{at}.since")

    def need(self, needs: Needs, catalogue: Catalogue) -> None:
        needs.rfm = True

    def members(self, sql: Sql) -> Members:
        r = sql.alias()
        conditions = [
            f"{r}.org_id = {sql.org}",
            f"{r}.grid = {sql.bind(self.grid, 'text')}",
            *sql.among(f"{r}.contact_id"),
        ]
        for column, given in (("recency", self.recency), ("frequency", self.frequency)):
            if given:
                conditions.append(f"{r}.{column} = any({sql.bind(list(given), 'bigint[]')})")
        if self.since is not None:
            conditions += sql.within(f"{r}.since", _PERIOD.window(self.since, sql.world.moment))
        return Members(f"select {r}.contact_id from contact_rfm {r} where {both(conditions)}")

    def found(self, person: Person, world: World) -> Any:
        place = person.rfm.get(self.grid)
        return place and place._asdict()

    def holds(self, person: Person, world: World) -> bool:
        place: RfmPlace | None = person.rfm.get(self.grid)
        return (
            place is not None
            and (not self.recency or place.recency in self.recency)
            and (not self.frequency or place.frequency in self.frequency)
            and (self.since is None or _PERIOD.holds(place.since, self.since, world.moment))
        )
