"""Conditions on the contact's own row: standard columns and additional fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from perigee.errors import Invalid
from perigee.segments.comparisons import Comparison, Key, ValueKind
from perigee.segments.dates import Day, Instant
from perigee.segments.leaves.leaf import Name, PlainLeaf
from perigee.segments.person import Person
from perigee.segments.sql import Sql
from perigee.segments.values import Choices, Number, Text
from perigee.segments.world import Catalogue, World


class Column(NamedTuple):
    name: str
    kind: ValueKind


COLUMNS: Mapping[str, Column] = {
    "id": Column("contact_id", Number()),
    "externalCustomerId": Column("external_id", Text(folded=False)),
    "contactKey": Column("contact_key", Text(folded=False)),
    "email": Column("email", Text(folded=True)),
    "phone": Column("phone", Text(folded=False)),
    "firstName": Column("first_name", Text(folded=True)),
    "lastName": Column("last_name", Text(folded=True)),
    "languageCode": Column("language", Text(folded=True)),
    "timeZone": Column("time_zone", Text(folded=True)),
    "region": Column("region", Text(folded=True)),
    "town": Column("town", Text(folded=True)),
    "address": Column("street", Text(folded=True)),
    "postcode": Column("postcode", Text(folded=True)),
    "source": Column("source", Text(folded=False)),
    "created": Column("created_at", Instant()),
    "updated": Column("updated_at", Instant()),
}
"""Wire names of the standard fields. SQL takes column names from here and nowhere else."""


class FieldLeaf(PlainLeaf, frozen=True, tag="field"):
    """A standard field: `{"is": "field", "field": "town", "test": {"op": "equals", "value": "Kyiv"}}`."""

    field: str
    test: Comparison

    def check(self, at: str, catalogue: Catalogue) -> None:
        if self.field not in COLUMNS:
            raise Invalid.of(f"{at}.field", self.field, "must be one of " + ", ".join(COLUMNS))
        COLUMNS[self.field].kind.check(self.test, f"{at}.test")

    def predicate(self, sql: Sql, contact: str) -> str:
        column = COLUMNS[self.field]
        return column.kind.sql(f"{contact}.{column.name}", self.test, sql)

    def found(self, person: Person, world: World) -> Any:
        return person.columns.get(COLUMNS[self.field].name)

    def holds(self, person: Person, world: World) -> bool:
        return COLUMNS[self.field].kind.holds(self.found(person, world), self.test, world.moment)


class Stored(NamedTuple):
    """How an additional field's type is read out of its JSON value: in SQL, and from a decoded value."""

    kind: ValueKind
    read_sql: Callable[[str], str]
    read: Callable[[Any], Any]


def _text_sql(value: str) -> str:
    return f"({value} #>> '{{}}')"


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return format(value, "f") if isinstance(value, Decimal) else str(value)


KEY_LENGTH = 100
"""Characters of a text that an index holds: at four bytes each far below what a B-tree takes."""

_FOLDED = Stored(Text(folded=True, cut=KEY_LENGTH), _text_sql, _text)


def _number_sql(value: str) -> str:
    return f"(case when jsonb_typeof({value}) = 'number' then ({value})::numeric end)"


def _number(value: Any) -> Decimal | None:
    return value if isinstance(value, Decimal) else None


_NUMBER = Stored(Number(), _number_sql, _number)
_DAY = Stored(Day(), _text_sql, _text)
STORED: Mapping[str, Stored] = {
    "textfield": _FOLDED,
    "textarea": _FOLDED,
    "number": _NUMBER,
    "decimal": _NUMBER,
    "date": _DAY,
    "datetime": _DAY,
    "combobox": Stored(Text(folded=False, cut=KEY_LENGTH), _text_sql, _text),
    "checkboxlist": Stored(Choices(), lambda value: value, lambda value: value),
}
"""By `field.type`."""


class AdditionalLeaf(PlainLeaf, frozen=True, tag="additional"):
    """An additional field: `{"is": "additional", "id": 79001, "test": {"op": "greater", "value": 3}}`.

    Which operators there are says the field's type.
    """

    id: int
    test: Comparison

    def names(self) -> Iterable[Name]:
        yield "field", self.id

    def check(self, at: str, catalogue: Catalogue) -> None:
        if self.id not in catalogue.fields:
            raise Invalid.of(f"{at}.id", self.id, "is not the id of an additional field")
        self._stored(catalogue).kind.check(self.test, f"{at}.test")

    def predicate(self, sql: Sql, contact: str) -> str:
        stored = self._stored(sql.world.catalogue)
        value = f"({contact}.fields -> {sql.bind(str(self.id), 'text')})"
        return stored.kind.sql(stored.read_sql(value), self.test, sql)

    def key(self, catalogue: Catalogue) -> Key | None:
        """What an index of `contact` must hold for `predicate` to be looked up in it (`segments.field_indexes`)."""
        if self.id not in catalogue.fields:
            return None
        stored = self._stored(catalogue)
        return stored.kind.key(stored.read_sql(f"(fields -> '{int(self.id)}'::text)"), self.test)

    def found(self, person: Person, world: World) -> Any:
        return self._stored(world.catalogue).read(person.fields.get(str(self.id)))

    def holds(self, person: Person, world: World) -> bool:
        kind = self._stored(world.catalogue).kind
        return kind.holds(self.found(person, world), self.test, world.moment)

    def _stored(self, catalogue: Catalogue) -> Stored:
        return STORED[catalogue.fields[self.id]]
