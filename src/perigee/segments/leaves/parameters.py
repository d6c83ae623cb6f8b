"""Comparisons of what an event carries: its parameters, and the things that one of them lists. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from perigee.errors import Invalid
from perigee.segments.comparisons import Comparison, ValueKind, check_text
from perigee.segments.dates import Day
from perigee.segments.moments import Moment
from perigee.segments.person import Event
from perigee.segments.sql import Sql, both
from perigee.segments.values import Number, Text, as_number, as_number_sql

MAX_PARAMETERS = 10


class Reading(NamedTuple):
    """How a parameter, which is text or JSON, is read as a kind of value."""

    kind: ValueKind
    read_sql: Callable[[str], str]
    read: Callable[[str | None], Any]


READINGS: Mapping[str, Reading] = {
    "text": Reading(Text(folded=False), str, lambda text: text),
    "number": Reading(Number(), lambda value: f"({as_number_sql(value)})", as_number),
    "date": Reading(Day(), str, lambda text: text),
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
        READINGS[self.kind].kind.check(self.test, f"{at}.test")

    def sql(self, sql: Sql, params: str) -> str:
        """`params`: an expression of type jsonb."""
        reading = READINGS[self.kind]
        value = reading.read_sql(f"({params} ->> {sql.bind(self.param, 'text')})")
        return reading.kind.sql(value, self.test, sql)

    def holds(self, params: Mapping[str, str | None], moment: Moment) -> bool:
        reading = READINGS[self.kind]
        return reading.kind.holds(reading.read(params.get(self.param)), self.test, moment)


class Listed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`{"param": "products", "where": [{"param": "productId", "test": {"op": "equals", "value": "SKU-1"}}]}`.

    The parameter is a JSON list, one JSON object or the text of either; one thing in it meets all comparisons.
    """

    param: str
    where: tuple[Parameter, ...] = ()

    def check(self, at: str) -> None:
        check_text(self.param, f"{at}.param", 100)
        check_parameters(self.where, f"{at}.where")

    def sql(self, sql: Sql, event: str) -> str:
        thing = sql.alias()
        items = f"jsonb_array_elements(json_items({event}.params -> {sql.bind(self.param, 'text')}))"
        tests = both(parameter.sql(sql, f"{thing}.item") for parameter in self.where)
        return f"exists (select from {items} {thing} (item) where {tests})"

    def holds(self, event: Event, moment: Moment) -> bool:
        return any(
            all(parameter.holds(thing, moment) for parameter in self.where)
            for thing in event.lists.get(self.param, ())
        )


def check_parameters(where: tuple[Parameter, ...], at: str) -> None:
    if len(where) > MAX_PARAMETERS:
        raise Invalid(f"{at}: has {len(where)} comparisons, the most are {MAX_PARAMETERS}", field=at)
    for n, parameter in enumerate(where):
        parameter.check(f"{at}[{n}]")


def named(where: Iterable[Parameter]) -> set[str]:
    return {parameter.param for parameter in where}
