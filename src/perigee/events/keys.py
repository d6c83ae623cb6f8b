"""Lengths and forbidden characters of event names (contract section 5). Pure.

Also for whatever becomes an event type elsewhere: `formType`, `eventKeyForNewContacts`, `order<STATUS>`.
"""

from __future__ import annotations

import re

from perigee.errors import Invalid

TYPE_KEY_LENGTH = 100
EVENT_KEY_LENGTH = 300
PARAMETER_LENGTH = 100

_FORBIDDEN = re.compile("[<>;\u2019\\\\/|\"`'^?!,\x00-\x1f\x7f]")


def check_type_key(value: str, *, field: str = "eventTypeKey") -> str:
    """The key without outer blanks. Raises Invalid: empty, over 100 characters, a forbidden character."""
    return _check(value, field, TYPE_KEY_LENGTH)


def check_event_key(value: str, *, field: str = "keyValue") -> str:
    """The key without outer blanks. Raises Invalid: empty, over 300 characters, a forbidden character."""
    return _check(value, field, EVENT_KEY_LENGTH)


def _check(value: str, field: str, longest: int) -> str:
    value = value.strip()
    if not value:
        raise Invalid(f"{field}: must not be empty", field=field, value=value)
    if len(value) > longest:
        raise Invalid.of(field, value, f"is longer than {longest} characters")
    if found := _FORBIDDEN.search(value):
        raise Invalid.of(field, value, f"must not contain {_name(found[0])}")
    return value


def _name(character: str) -> str:
    return f"'{character}'" if character.isprintable() else "control characters"
