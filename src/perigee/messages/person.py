"""Whom a message is rendered for, and by what names templates reach the values.

Two spellings reach the same values (TRACKING 8.1; the Liquid names are ours):

| Merge tag                  | Liquid                                           | Value                            |
|----------------------------|--------------------------------------------------|----------------------------------|
| `%FIRSTNAME%`              | `first_name`, `contact.first_name`               | `Person.first_name`              |
| `%LASTNAME%`               | `last_name`                                      | `Person.last_name`               |
| `%EMAIL%`                  | `email`                                          | `Person.email`                   |
| `%SMS%`, `%PHONE%`         | `phone`                                          | `Person.phone`                   |
| `%EXTERNAL_CUSTOMER_ID%`   | `external_id`                                    | `Person.external_id`             |
| `%CONTACT_ID%`             | `contact_id`                                     | `Person.contact_id`              |
| `%TOWN%`                   | `town`                                           | `Person.town`                    |
| `%ADDRESS%`                | `street`                                         | `Person.street`                  |
| `%COUNTY%`                 | `region`                                         | `Person.region`                  |
| `%POSTCODE%`               | `postcode`                                       | `Person.postcode`                |
| –                          | `language`, `time_zone`, `contact_key`           | the same                         |
| `%PERSONAL.BONUS%`         | `fields.PERSONAL.BONUS`                          | `Person.fields`                  |
| `%TEMPLATE.key%`           | `data.key`, or `key` where no name above has it  | `Person.data`                    |
| `%DISCOUNT|5%` (with bar)  | the same                                         | `Person.data`                    |
| `%MESSAGENAME%`, `%GROUP.NAME%` | `message_name`, `group_name`                | `Names.constants`                |

Every Liquid name of a contact also works behind `contact.`. `now` and `today` are the moment of the rendering.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

Get = Callable[["Person"], object]
"""Takes one value out of a person; None when it is missing."""


@dataclass(slots=True)
class Person:
    """One recipient. Every value is plain data: str, number, bool, None, date, list and dict of these.

    `fields` are the additional fields, keyed as the database row has them (`Names.field_keys` translates the
    template's `LIST.FIELD`). `data` is what came with the event or the API call (`jsonParam`).
    """

    contact_id: int = 0
    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    external_id: str | None = None
    contact_key: str | None = None
    language: str | None = None
    time_zone: str | None = None
    region: str | None = None
    town: str | None = None
    street: str | None = None
    postcode: str | None = None
    fields: Mapping[str, object] = field(default_factory=dict)
    data: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def from_row(cls, row: Sequence[Any], data: Mapping[str, object]) -> Person:
        """From the columns contact_id, email, phone, spelling of the email (or null), first_name, last_name,
        external_id, contact_key, language, time_zone, region, town, street, postcode, fields."""
        contact_id, email, phone, spelling, *rest = row
        person = cls(contact_id, spelling or email, phone, *rest)
        person.data = data
        return person


STANDARD = (
    "contact_id",
    "email",
    "phone",
    "first_name",
    "last_name",
    "external_id",
    "contact_key",
    "language",
    "time_zone",
    "region",
    "town",
    "street",
    "postcode",
)
MERGE_NAMES = {
    "FIRSTNAME": "first_name",
    "LASTNAME": "last_name",
    "EMAIL": "email",
    "SMS": "phone",
    "PHONE": "phone",
    "EXTERNAL_CUSTOMER_ID": "external_id",
    "CONTACT_ID": "contact_id",
    "TOWN": "town",
    "ADDRESS": "street",
    "COUNTY": "region",
    "POSTCODE": "postcode",
}
CONSTANTS = {"MESSAGENAME": "message_name", "GROUP.NAME": "group_name"}


@dataclass(frozen=True, slots=True)
class Names:
    """What the names of one message stand for.

    `field_keys`: `LIST.FIELD` as written in templates → key in `Person.fields` (absent: the same text).
    `constants`: `message_name`, `group_name` and their values; the same for every recipient.
    """

    field_keys: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)

    def merge_tag(self, name: str, *, barred: bool) -> Get | None:
        """The value of `%name%`, or None when this is no merge tag but text with per cent signs.

        Without a bar only the documented names and `LIST.FIELD` count: `100%;height:50%` and `%D0%9F` are text.
        """
        if attribute := MERGE_NAMES.get(name):
            return attrgetter(attribute)
        if constant := CONSTANTS.get(name):
            text = self.constants.get(constant, "")
            return lambda person: text
        group, dot, key = name.partition(".")
        if group == "TEMPLATE" and dot:
            return self._data([key])
        if dot:
            return self._field(name)
        return self._data([name]) if barred else None

    def path(self, segments: Sequence[str | int]) -> Get | None:
        """The value of a path of a template language, or None when only the language itself can follow it."""
        root, rest = segments[0], segments[1:]
        if root == "contact" and rest:
            root, rest = rest[0], rest[1:]
            if root not in (*STANDARD, "fields"):
                return None
        if root == "fields":
            return self._field(".".join(map(str, rest))) if rest and len(rest) <= 2 else None
        if root in STANDARD:
            return attrgetter(str(root)) if not rest else None
        if root in CONSTANTS.values():
            text = self.constants.get(str(root), "")
            return lambda person: text
        if root == "data":
            return self._data(rest) if rest else None
        return self._data([root, *rest])

    def _field(self, name: str) -> Get:
        key = self.field_keys.get(name, name)
        return lambda person: person.fields.get(key)

    def _data(self, segments: Sequence[str | int]) -> Get:
        if len(segments) == 1 and isinstance(segments[0], str):
            key = segments[0]
            return lambda person: person.data.get(key)
        return lambda person: walk(person.data, segments)

    def contact(self, person: Person) -> dict[str, object]:
        """The values of `contact.` as a plain dictionary, for a language that walks paths by itself."""
        values: dict[str, object] = {name: getattr(person, name) for name in STANDARD}
        values["fields"] = self.fields(person)
        return values

    def fields(self, person: Person) -> dict[str, object]:
        """The additional fields as LIST → FIELD → value."""
        names = {key: name for name, key in self.field_keys.items()}
        groups: dict[str, object] = {}
        for key, value in person.fields.items():
            group, dot, name = names.get(key, key).partition(".")
            if dot:
                members = groups.setdefault(group, {})
                if isinstance(members, dict):
                    members[name] = value
        return groups


def walk(value: object, segments: Sequence[str | int]) -> object:
    """Follows keys and indexes through plain data; None where there is nothing."""
    for segment in segments:
        if isinstance(value, Mapping):
            value = value.get(segment)
        elif isinstance(value, list) and isinstance(segment, int) and -len(value) <= segment < len(value):
            value = value[segment]
        else:
            return None
    return value


def text_of(value: object) -> str:
    """How a value reads in a message. A list reads as `a, b`; an object, having no one reading, as nothing."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, Mapping):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(text_of, value))
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
