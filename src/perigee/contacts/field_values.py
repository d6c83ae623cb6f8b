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


def convert_all(
    fields: Mapping[str, Field], given: Mapping[str, Any], zone: tzinfo
) -> tuple[dict[str, Stored | None], int]:
    """(values to store by field id, number of values that were not saved). A blank becomes None: no value."""
    kept: dict[str, Stored | None] = {}
    lost = 0
    for key, value in given.items():
        field = fields.get(key)
        if field is None:
            lost += 1
        elif is_blank(value):
            kept[key] = None
        else:
            try:
                kept[key] = convert(field, value, zone)
            except Invalid:
                lost += 1
    return kept, lost


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
