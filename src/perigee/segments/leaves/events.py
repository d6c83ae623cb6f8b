"""Conditions on what a contact did."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from perigee.errors import Invalid
from perigee.segments.comparisons import Comparison
from perigee.segments.dates import Period
from perigee.segments.leaves.clock import check_clock, clock_holds, clock_sql
from perigee.segments.leaves.counting import COUNT, ONCE, effort, happened
from perigee.segments.leaves.happened import ALWAYS, half_open, of_type, one_of_each
from perigee.segments.leaves.leaf import Effort, Members, Name, SetLeaf
from perigee.segments.leaves.parameters import Listed, Parameter, check_parameters, named
from perigee.segments.moments import Instants, Moment
from perigee.segments.person import Event, Needs, Person
from perigee.segments.sql import Sql, both
from perigee.segments.world import Catalogue, World

_PERIOD = Period()


class EventLeaf(SetLeaf, frozen=True, tag="event"):
    """`{"is": "event", "type": "cartAdded", "times": {"op": "at_least", "value": 2}, "period": …, "where": […]}`.

    Once or more often, whenever and with whatever parameters, unless said otherwise. `which`: not any events of
    the type but the first or last that the contact ever had is the one that all the rest is asked of. `hours` (0
    to 23) and `weekdays` (1, Monday, to 7) are those of the organisation's clock.
    """

    type: str
    times: Comparison = ONCE
    period: Comparison | None = None
    where: tuple[Parameter, ...] = ()
    which: Literal["any", "first", "last"] = "any"
    hours: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = ()
    items: Listed | None = None

    @property
    def effort(self) -> Effort:
        return effort(self.times) if self.which == "any" else Effort.COUNT

    def names(self) -> Iterable[Name]:
        yield "event_type", self.type

    def check(self, at: str, catalogue: Catalogue) -> None:
        if self.type not in catalogue.event_types:
            raise Invalid.of(f"{at}.type", self.type, "is not the key of an event type")
        COUNT.check(self.times, f"{at}.times")
        if self.which != "any" and self.times != ONCE:
            raise Invalid(f"{at}.times: is not taken with '{self.which}'", field=f"{at}.times")
        if self.period is not None:
            _PERIOD.check(self.period, f"{at}.period")
        check_clock(self.hours, self.weekdays, at)
        check_parameters(self.where, f"{at}.where")
        if self.items is not None:
            self.items.check(f"{at}.items")

    def need(self, needs: Needs, catalogue: Catalogue) -> None:
        asked = needs.events.setdefault(catalogue.event_types[self.type], set())
        asked.update(named(self.where))
        if self.items is not None:
            needs.lists.setdefault(self.items.param, set()).update(named(self.items.where))

    # -- SQL

    def members(self, sql: Sql) -> Members:
        e = sql.alias()
        conditions = of_type(sql, e, self.type)
        if self.which == "any":
            source = f"from event {e} where {both([*conditions, *self._tests(sql, e)])}"
            return happened(sql, self.times, f"{e}.contact_id", source)
        side = half_open(self._window(sql.world.moment), self.which)
        found = one_of_each(sql, e, self.which, [*conditions, *sql.within(f"{e}.occurred_at", side)])
        one = sql.alias()
        return Members(f"select {one}.contact_id from ({found}) {one} where {both(self._tests(sql, one))}")

    def _tests(self, sql: Sql, e: str) -> list[str]:
        found = sql.within(f"{e}.occurred_at", self._window(sql.world.moment))
        found += clock_sql(sql, f"{e}.occurred_at", self.hours, self.weekdays)
        found += [parameter.sql(sql, f"{e}.params") for parameter in self.where]
        if self.items is not None:
            found.append(self.items.sql(sql, e))
        return found

    def _window(self, moment: Moment) -> Instants:
        return ALWAYS if self.period is None else _PERIOD.window(self.period, moment)

    # -- one person

    def found(self, person: Person, world: World) -> Any:
        """How many there are; of the first or last when it was."""
        if self.which != "any":
            one = self._one(person, world)
            return one and one.occurred_at
        return sum(self._takes(event, world.moment) for event in self._events(person, world))

    def holds(self, person: Person, world: World) -> bool:
        if self.which != "any":
            one = self._one(person, world)
            return one is not None and self._takes(one, world.moment)
        return COUNT.holds(self.found(person, world), self.times, world.moment)

    def _events(self, person: Person, world: World) -> list[Event]:
        return list(person.events.get(world.catalogue.event_types[self.type], ()))

    def _one(self, person: Person, world: World) -> Event | None:
        events = self._events(person, world)
        return events[0 if self.which == "first" else -1] if events else None

    def _takes(self, event: Event, moment: Moment) -> bool:
        return (
            self._window(moment).holds(event.occurred_at)
            and clock_holds(event.occurred_at, self.hours, self.weekdays, moment)
            and all(parameter.holds(event.params, moment) for parameter in self.where)
            and (self.items is None or self.items.holds(event, moment))
        )
