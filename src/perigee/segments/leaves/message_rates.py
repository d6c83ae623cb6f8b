"""Conditions on a contact's rates: what share of the messages had a further consequence."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, ClassVar, Literal

from perigee.errors import Invalid
from perigee.segments.comparisons import Comparison, Scalar, Takes
from perigee.segments.leaves.happenings import SOURCES, MessageFilter
from perigee.segments.leaves.leaf import Effort, Members
from perigee.segments.person import Needs, Person
from perigee.segments.sql import Sql
from perigee.segments.values import Number
from perigee.segments.world import Catalogue, World

Stage = Literal["sent", "delivered", "opened", "clicked", "unsubscribed", "complained"]
_ORDER: tuple[Stage, ...] = ("sent", "delivered", "opened", "clicked", "unsubscribed", "complained")
_DIGITS = Decimal("0.0001")
MAX_LEAST = 1_000_000


class Percent(Number):
    """From 0 to 100."""

    operators: ClassVar[Mapping[str, Takes]] = {
        "at_least": "value",
        "at_most": "value",
        "greater": "value",
        "less": "value",
        "between": "range",
    }

    def operand(self, given: Scalar, at: str) -> Decimal:
        number = super().operand(given, at)
        if not 0 <= number <= 100:
            raise Invalid.of(at, given, "must be from 0 to 100")
        return number


_PERCENT = Percent()


class MessageRateLeaf(MessageFilter, frozen=True, kw_only=True, tag="message_rate"):
    """`{"is": "message_rate", "of": "opened", "per": "delivered", "percent": {"op": "at_least", "value": 50}, "least": 5}`.

    Messages of which `of` is true, in percent of those of which `per` is, to four digits behind the point. `period`,
    `hours` and `weekdays`: when `per` happened; `of` counts from the start of the period on. Who has less than `least`
    messages of which `per` is true has no rate, and answers no.
    """

    of: Stage
    per: Stage
    percent: Comparison
    least: int = 1

    @property
    def effort(self) -> Effort:
        return Effort.COUNT

    def check(self, at: str, catalogue: Catalogue) -> None:
        if _ORDER.index(self.of) <= _ORDER.index(self.per):
            rule = "must come behind 'per' in the order " + ", ".join(_ORDER)
            raise Invalid.of(f"{at}.of", self.of, rule)
        if not 1 <= self.least <= MAX_LEAST:
            raise Invalid.of(f"{at}.least", self.least, f"must be a whole number from 1 to {MAX_LEAST}")
        _PERCENT.check(self.percent, f"{at}.percent")
        super().check(at, catalogue)

    def need(self, needs: Needs, catalogue: Catalogue) -> None:
        self.need_of(needs, [self.of, self.per])

    def members(self, sql: Sql) -> Members:
        one, message = sql.alias(), sql.alias()
        key = f"{one}.contact_id, {one}.send_id, {one}.ordinal"
        messages = (
            f"select {one}.contact_id, bool_or({one}.reached) as reached "
            f"from ({self._rows(sql, reached=False)} union all {self._rows(sql, reached=True)}) {one} "
            f"group by {key} having not bool_and({one}.reached)"
        )
        rate = f"round(100 * (count(*) filter (where {message}.reached))::numeric / count(*), 4)"
        return Members(
            f"select {message}.contact_id from ({messages}) {message} group by {message}.contact_id "
            f"having count(*) >= {sql.bind(self.least, 'bigint')} and {_PERCENT.sql(rate, self.percent, sql)}"
        )

    def _rows(self, sql: Sql, *, reached: bool) -> str:
        what = self.of if reached else self.per
        m = sql.alias()
        source = self.happenings(sql, m, what)
        if not reached:
            times = self.at_times(sql, m, what)
        else:
            times = sql.within(f"{m}.at", self.window(sql.world.moment)._replace(end=None))
        select = f"select {m}.contact_id, {m}.send_id, {m}.ordinal, {str(reached).lower()} as reached"
        return " and ".join([f"{select} {source}", *times])

    def found(self, person: Person, world: World) -> Any:
        """The rate in percent, None without one."""
        start = self.window(world.moment)._replace(end=None)
        per = {m.key for m in self.happened_to(person, self.per) if self.in_time(m.at, world.moment)}
        of = {m.key for m in self.happened_to(person, self.of) if start.holds(m.at)}
        if len(per) < self.least:
            return None
        return (Decimal(100 * len(per & of)) / len(per)).quantize(_DIGITS, ROUND_HALF_UP)

    def holds(self, person: Person, world: World) -> bool:
        rate = self.found(person, world)
        return rate is not None and _PERCENT.holds(rate, self.percent, world.moment)


assert set(_ORDER) <= set(SOURCES)
