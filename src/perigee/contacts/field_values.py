"""Values of additional fields by the type of their field (contract 7.1). Pure.

A value in the wrong form, or outside a field's list or range, is not saved; the rest of the contact is. Stored are
text, JSON numbers (exact), dates as `YYYY-MM-DD`, dates with time as `YYYY-MM-DDTHH:MM` on the organisation's
clock, and lists of text for checkbox lists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from typing import Any, Final

from perigee.errors import Invalid
from perigee.lib import dates
from perigee.lib.scalars import to_decimal, to_int, to_text

TEXT_LENGTH: Final = 1000
AREA_LENGTH: Final = 5000
LOW, HIGH = -(2**31), 2**31 - 1

Stored = str | int | Decimal | list[str]


@dataclass(frozen=True, slots=True)
class Field:
    """A definition, as far as values are concerned."""

    field_id: int
    type: str
    choices: Sequence[str] = ()
    low: Decimal | None = None
    high: Decimal | None = None


def convert(field: Field, value: Any, zone: tzinfo) -> Stored:
    """The value as it is stored. Raises Invalid; `value` must not be blank (see `is_blank`)."""
    stored = _CONVERT[field.type](field, value, zone)
    if stored is None:
        raise Invalid.of(_name(field), value, "is empty")
    return stored


def is_blank(value: Any) -> bool:
    """Null, "", blanks and empty lists: no value (contract 3)."""
    return value is None or (isinstance(value, str) and not value.strip()) or value == []


def show(value: Any) -> str:
    """A stored value as the wire shows it: always text, several choices separated by commas."""
    if isinstance(value, list):
        return ",".join(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    return value if isinstance(value, str) else str(value)


class Typist:
    """Types the values of many contacts. Values repeat, so what each becomes is remembered."""

    def __init__(self, fields: Mapping[str, Field], zone: tzinfo) -> None:
        self._fields = fields
        self._zone = zone
        self._known: dict[tuple[str, str | int], Stored | None] = {}
        self.lost = 0
        """Values that did not fit, or whose field does not exist."""

    def type(self, given: Mapping[str, Any]) -> dict[str, Stored | None]:
        """Values to store by field id. A blank becomes None: no value. What does not fit is left out."""
        kept: dict[str, Stored | None] = {}
        for key, value in given.items():
            if type(value) is not str and type(value) is not int:
                stored = self._convert(key, value)
            elif (key, value) in self._known:
                stored = self._known[key, value]
            else:
                stored = self._known[key, value] = self._convert(key, value)
            if stored is _LOST:
                self.lost += 1
            else:
                kept[key] = stored
        return kept

    def _convert(self, key: str, value: Any) -> Stored | None:
        field = self._fields.get(key)
        if field is None:
            return _LOST
        if is_blank(value):
            return None
        try:
            return convert(field, value, self._zone)
        except Invalid:
            return _LOST


_LOST: Final[list[str]] = []
"""Stands for a value that is not saved; told by identity, no stored list is empty."""


def _name(field: Field) -> str:
    return f"fields.{field.field_id}"


def _text(field: Field, value: Any, zone: tzinfo) -> str | None:
    return to_text(_name(field), value, limit=TEXT_LENGTH)


def _area(field: Field, value: Any, zone: tzinfo) -> str | None:
    return to_text(_name(field), value, limit=AREA_LENGTH, lines=True)


def _number(field: Field, value: Any, zone: tzinfo) -> int | None:
    number = to_int(_name(field), value, low=LOW, high=HIGH)
    _check_range(field, number)
    return number


def _decimal(field: Field, value: Any, zone: tzinfo) -> Decimal | None:
    number = to_decimal(_name(field), value)
    _check_range(field, number)
    return number


def _check_range(field: Field, number: int | Decimal | None) -> None:
    if number is None:
        return
    below = field.low is not None and number < field.low
    if below or (field.high is not None and number > field.high):
        raise Invalid.of(_name(field), number, f"is not from {field.low} to {field.high}")


def _date(field: Field, value: Any, zone: tzinfo) -> str | None:
    day = dates.to_date(_name(field), value)
    return None if day is None else day.isoformat()


def _datetime(field: Field, value: Any, zone: tzinfo) -> str | None:
    moment = dates.to_moment(_name(field), value, zone)
    return None if moment is None else dates.wire_minutes(moment, zone)


def _choice(field: Field, value: Any, zone: tzinfo) -> str | None:
    text = to_text(_name(field), value)
    if text is not None and text not in field.choices:
        raise Invalid.of(_name(field), text, "is not one of the field's values")
    return text


def _choices(field: Field, value: Any, zone: tzinfo) -> list[str] | None:
    if isinstance(value, list):
        given = [to_text(_name(field), element) for element in value]
    else:
        text = to_text(_name(field), value)
        # A choice may hold a comma itself, so the whole text is looked at first.
        given = [text] if text in field.choices else [part.strip() for part in (text or "").split(",")]
    chosen = list(dict.fromkeys(part for part in given if part))
    if unknown := [part for part in chosen if part not in field.choices]:
        raise Invalid.of(_name(field), unknown[0], "is not one of the field's values")
    return chosen or None


_CONVERT: Mapping[str, Callable[[Field, Any, tzinfo], Stored | None]] = {
    "textfield": _text,
    "textarea": _area,
    "number": _number,
    "decimal": _decimal,
    "date": _date,
    "datetime": _datetime,
    "combobox": _choice,
    "checkboxlist": _choices,
}
