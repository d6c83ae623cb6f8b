"""Conditions on what a contact did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from perigee.errors import Invalid
from perigee.segments.comparisons import Comparison, ValueKind, check_text
from perigee.segments.dates import Day, Period
from perigee.segments.leaves.counting import COUNT, ONCE, effort, happened
from perigee.segments.leaves.leaf import Effort, Members, Name, SetLeaf
from perigee.segments.moments import Moment
from perigee.segments.person import Event, Needs, Person
from perigee.segments.sql import Sql, both
from perigee.segments.values import Number, Text, as_number, as_number_sql
from perigee.segments.world import Catalogue, World

MAX_PARAMETERS = 10
_PERIOD = Period()


class _Reading(NamedTuple):
    """How a parameter, which is text or JSON, is read as a kind of value."""

    kind: ValueKind
    read_sql: Callable[[str], str]
    read: Callable[[str | None], Any]


_READINGS: Mapping[str, _Reading] = {
    "text": _Reading(Text(folded=False), str, lambda text: text),
    "number": _Reading(Number(), lambda value: f"({as_number_sql(value)})", as_number),
    "date": _Reading(Day(), str, lambda text: text),
}


class Parameter(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename={"kind": "as"}
):
    """A comparison of one parameter: `{"param": "price", "as": "number", "test": {"op": "less", "value": 9}}`.

    Texts are compared with regard to case (contract section 3). What is no number has no value as a number.
    """

    param: str
    test: Comparison
    kind: Literal["text", "number", "date"] = "text"

    def check(self, at: str) -> None:
        check_text(self.param, f"{at}.param", 100)
        _READINGS[self.kind].kind.check(self.test, f"{at}.test")

    def sql(self, sql: Sql, event: str) -> str:
        reading = _READINGS[self.kind]
        value = reading.read_sql(f"({event}.params ->> {sql.bind(self.param, 'text')})")
        return reading.kind.sql(value, self.test, sql)

    def holds(self, event: Event, moment: Moment) -> bool:
        reading = _READINGS[self.kind]
        return reading.kind.holds(reading.read(event.params.get(self.param)), self.test, moment)


class EventLeaf(SetLeaf, frozen=True, tag="event"):
    """`{"is": "event", "type": "cartAdded", "times": {"op": "at_least", "value": 2}, "period": …, "where": […]}`.

    Once or more often, whenever and with whatever parameters, unless said otherwise.
    """

    type: str
    times: Comparison = ONCE
    period: Comparison | None = None
    where: tuple[Parameter, ...] = ()

    @property
    def effort(self) -> Effort:
        return effort(self.times)

    def names(self) -> Iterable[Name]:
        yield "event_type", self.type

    def check(self, at: str, catalogue: Catalogue) -> None:
        if self.type not in catalogue.event_types:
            raise Invalid.of(f"{at}.type", self.type, "is not the key of an event type")
        COUNT.check(self.times, f"{at}.times")
        if self.period is not None:
            _PERIOD.check(self.period, f"{at}.period")
        if len(self.where) > MAX_PARAMETERS:
            raise Invalid(f"{at}.where: has {len(self.where)} comparisons, the most are {MAX_PARAMETERS}")
        for n, parameter in enumerate(self.where):
            parameter.check(f"{at}.where[{n}]")

    def need(self, needs: Needs, catalogue: Catalogue) -> None:
        asked = needs.events.setdefault(catalogue.event_types[self.type], set())
        asked.update(parameter.param for parameter in self.where)

    def members(self, sql: Sql) -> Members:
        e = sql.alias()
        type_id = sql.world.catalogue.event_types[self.type]
        conditions = [
            f"{e}.org_id = {sql.org}",
            f"{e}.event_type_id = {sql.bind(type_id, 'bigint')}",
            f"{e}.contact_id is not null",
            *sql.among(f"{e}.contact_id"),
        ]
        if self.period is not None:
            conditions += sql.within(f"{e}.occurred_at", _PERIOD.window(self.period, sql.world.moment))
        conditions += [parameter.sql(sql, e) for parameter in self.where]
        return happened(sql, self.times, f"{e}.contact_id", f"from event {e} where {both(conditions)}")

    def found(self, person: Person, world: World) -> Any:
        events = person.events.get(world.catalogue.event_types[self.type], ())
        return sum(self._takes(event, world.moment) for event in events)

    def holds(self, person: Person, world: World) -> bool:
        return COUNT.holds(self.found(person, world), self.times, world.moment)

    def _takes(self, event: Event, moment: Moment) -> bool:
        if self.period is not None and not _PERIOD.holds(event.occurred_at, self.period, moment):
            return False
        return all(parameter.holds(event, moment) for parameter in self.where)
