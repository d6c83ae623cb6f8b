"""Additional fields: their groups and definitions, and typing the values of contacts against them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from perigee.contacts import field_store as store
from perigee.contacts.field_values import Typist
from perigee.contacts.rows import ContactRow
from perigee.db.pool import Connection
from perigee.errors import Conflict, Invalid
from perigee.lib.scalars import to_text

NAME_LENGTH: Final = 100
TYPES: Final = ("textfield", "textarea", "number", "decimal", "date", "datetime", "combobox", "checkboxlist")
WITH_CHOICES: Final = frozenset({"combobox", "checkboxlist"})
WITH_RANGE: Final = frozenset({"number", "decimal"})


class NewField(NamedTuple):
    """A definition to be made. `key` is the merge tag's second part: `%PROFILEKEY.FIELDKEY%`."""

    name: str
    key: str
    type: str
    choices: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None


# A client reads `fieldGroups` as a list without looking, so there must be two (contract 3).
DEFAULTS: Final = {
    ("Personal", "PERSONAL"): (
        NewField("Birthday", "BIRTHDAY", "date"),
        NewField("Gender", "GENDER", "combobox", ("female", "male", "other")),
    ),
    ("Shop", "SHOP"): (
        NewField("Bonus", "BONUS", "number", low=0),
        NewField("Level", "LEVEL", "textfield"),
    ),
}


async def create_default_fields(conn: Connection, org_id: int) -> None:
    """The fields of a new organisation: Personal (birthday, gender) and Shop."""
    for (name, key), fields in DEFAULTS.items():
        group_id = await store.insert_group(conn, org_id, name, key)
        assert group_id is not None
        await store.insert_fields(conn, org_id, group_id, fields)


async def create_group(conn: Connection, org_id: int, name: str) -> int:
    """Returns its id. Raises Invalid, Conflict when there is a group of this key."""
    shown = _name("name", name)
    group_id = await store.insert_group(conn, org_id, shown, make_key(shown))
    if group_id is None:
        raise Conflict(f"name: there is a group of fields with the key '{make_key(shown)}'")
    return group_id


async def create_field(conn: Connection, org_id: int, group_id: int, field: NewField) -> int:
    """Returns its id. Raises Invalid, NotFound (group), Conflict when the group has a field of this key."""
    checked = check(field)
    (field_id,) = await store.insert_fields(conn, org_id, group_id, [checked]) or (None,)
    if field_id is None:
        raise Conflict(f"name: the group has a field with the key '{checked.key}'")
    return field_id


def check(field: NewField) -> NewField:
    """The definition, cleaned. Raises Invalid."""
    name = _name("name", field.name)
    if field.type not in TYPES:
        raise Invalid.of("type", field.type, "must be one of " + ", ".join(TYPES))
    choices = tuple(
        dict.fromkeys(text for one in field.choices if (text := to_text("choices", one, limit=1000)))
    )
    if bool(choices) != (field.type in WITH_CHOICES):
        raise Invalid(
            "choices: are for the types combobox and checkboxlist, which need them", field="choices"
        )
    if field.type not in WITH_RANGE and (field.low is not None or field.high is not None):
        raise Invalid("min, max: are for the types number and decimal", field="min")
    if field.low is not None and field.high is not None and field.low > field.high:
        raise Invalid.of("max", field.high, "is less than min")
    return field._replace(name=name, key=make_key(field.key or name), choices=choices)


def _name(member: str, value: str) -> str:
    name = to_text(member, value, limit=NAME_LENGTH)
    if name is None:
        raise Invalid(f"{member}: is required", field=member)
    return name


def make_key(name: str) -> str:
    """The form of keys in merge tags: capitals, digits and underscores."""
    return "_".join("".join(c if c.isalnum() else " " for c in name.upper()).split()) or "_"


async def apply_types(conn: Connection, org_id: int, rows: Sequence[ContactRow]) -> int:
    """Replaces the raw values of additional fields by typed ones, in place; what does not fit is left out.

    Values that are typed already stay as they are. Returns how many were left out.
    """
    if not any(row.fields for row in rows):
        return 0
    zone, definitions = await store.definitions(conn, org_id)
    typist = Typist({str(field.field_id): field for field in definitions}, ZoneInfo(zone))
    for row in rows:
        if row.fields:
            row.fields = typist.type(row.fields)
    return typist.lost


class FieldDescription(msgspec.Struct, rename="camel", omit_defaults=True):
    """How `GET addressbooks` describes a field (contract 15.1)."""

    type: str
    required: bool
    readonly: bool
    allowed_values: dict[str, object] | msgspec.UnsetType = msgspec.UNSET


class ShownField(msgspec.Struct, rename="camel"):
    id: int
    name: str
    field_key: str
    description: FieldDescription


class ShownGroup(msgspec.Struct, rename="camel"):
    name: str
    profile_key: str
    fields: list[ShownField]


async def list_groups(conn: Connection, org_id: int) -> list[ShownGroup]:
    """All groups with their fields, in the order in which they were made."""
    groups: dict[int, ShownGroup] = {}
    for row in await store.groups_with_fields(conn, org_id):
        group = groups.setdefault(row.group_id, ShownGroup(row.group_name, row.group_key, []))
        if row.field_id is not None:
            group.fields.append(ShownField(row.field_id, row.name, row.key, _describe(row)))
    return list(groups.values())


def _describe(row: store.DefinitionRow) -> FieldDescription:
    allowed: dict[str, object] = {}
    if row.choices:
        allowed["possibleValues"] = row.choices
    if row.low is not None:
        allowed["minValue"] = row.low
    if row.high is not None:
        allowed["maxValue"] = row.high
    return FieldDescription(
        type=row.type,
        required=row.required,
        readonly=row.readonly,
        allowed_values=allowed or msgspec.UNSET,
    )


class FieldResource(msgspec.Struct):
    """A field in our own API."""

    field_id: int
    name: str
    key: str
    type: str
    choices: list[str]
    min: Decimal | None
    max: Decimal | None


class GroupResource(msgspec.Struct):
    group_id: int
    name: str
    key: str
    fields: list[FieldResource]


async def group_resources(conn: Connection, org_id: int) -> list[GroupResource]:
    """All groups with their fields, in the order in which they were made."""
    groups: dict[int, GroupResource] = {}
    for row in await store.groups_with_fields(conn, org_id):
        group = groups.setdefault(
            row.group_id, GroupResource(row.group_id, row.group_name, row.group_key, [])
        )
        if row.field_id is not None:
            group.fields.append(
                FieldResource(row.field_id, row.name, row.key, row.type, row.choices or [], row.low, row.high)
            )
    return list(groups.values())
