"""The lenient scalars of the old wire (contract sections 2.2, 3 and 25).

Clients send numbers as text, ids as numbers, one object where a list is meant. Each function takes the wire name
and the decoded JSON value, gives the value meant, or None for null, "" and blanks, and raises `Invalid` (field,
value, rule) for anything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from perigee.errors import Invalid
from perigee.lib.json_edge import INT64_MAX, INT64_MIN
from perigee.lib.text import clean_lines_or_none, clean_or_none

T = TypeVar("T")

_WHOLE = re.compile(r"[+-]?[0-9]{1,19}(?:\.0*)?", re.ASCII)
_DECIMAL = re.compile(
    r"[+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,3})?", re.ASCII
)
_BOOLEANS: dict[object, bool] = {"true": True, "1": True, "false": False, "0": False}


def to_int(field: str, value: object, *, low: int = INT64_MIN, high: int = INT64_MAX) -> int | None:
    """A whole number, from a number (12 or 12.0) or a numeric string ("12", " 12 ")."""
    if type(value) is int:
        number = value
    elif value is None or (isinstance(value, str) and not value.strip()):
        return None
    elif isinstance(value, str) and _WHOLE.fullmatch(stripped := value.strip()):
        number = int(stripped.partition(".")[0])
    elif isinstance(value, float) and value.is_integer():
        number = int(value)
    else:
        raise Invalid.of(field, value, "is not a whole number")
    if not low <= number <= high:
        raise Invalid.of(field, value, f"is not from {low} to {high}")
    return number


def to_id(field: str, value: object) -> int | None:
    """A numeric id; 0 and below mean no thing of ours, as `"id": 0` of clients does, and give None."""
    number = to_int(field, value)
    return number if number is not None and number > 0 else None


def to_text(field: str, value: object, *, limit: int | None = None, lines: bool = False) -> str | None:
    """Cleaned, trimmed text; numbers and booleans become text. `limit` is in characters."""
    if isinstance(value, str):
        text = clean_lines_or_none(value) if lines else clean_or_none(value)
    elif value is None:
        return None
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, int | float | Decimal):
        text = str(value)
    else:
        raise Invalid.of(field, value, "is not text")
    if limit is not None and text is not None and len(text) > limit:
        raise Invalid.of(field, text, f"is longer than {limit} characters")
    return text


def to_bool(field: str, value: object) -> bool | None:
    """`true`, `false`, 1, 0 and the same as text in any case."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    if isinstance(value, str):
        text = value.strip().lower()
        if not text:
            return None
        if text in _BOOLEANS:
            return _BOOLEANS[text]
    raise Invalid.of(field, value, "is not true or false")


def to_decimal(field: str, value: object, *, digits: int = 15, places: int = 10) -> Decimal | None:
    """Money, a count or another number as an exact decimal; `"59.90"` keeps its zero.

    At most `digits` before the point; what goes beyond `places` after it is rounded (floats of clients).
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if type(value) is int or isinstance(value, float | Decimal):
        text = str(value)
    elif isinstance(value, str):
        text = value.strip()
    else:
        raise Invalid.of(field, value, "is not a number")
    if not _DECIMAL.fullmatch(text):
        raise Invalid.of(field, value, "is not a number")
    number = Decimal(text)
    if number and number.adjusted() >= digits:
        raise Invalid.of(field, value, f"has more than {digits} digits before the point")
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or not -places <= exponent <= 0:
        try:
            number = number.quantize(
                Decimal(1).scaleb(-places if isinstance(exponent, int) and exponent < 0 else 0)
            )
        except InvalidOperation:
            raise Invalid.of(field, value, "is not a number") from None
    return number if number else abs(number)  # no minus zero


def one_or_many(value: T | Iterable[T | None] | None) -> list[T]:
    """A list where one object may stand for it; null is an empty list, and null elements are left out."""
    if value is None:
        return []
    if isinstance(value, list | tuple):
        return [item for item in value if item is not None]
    return [value]  # type: ignore[list-item]  # any other shape is the single element


def split_list(
    values: Iterable[str] | str | None, *, field: str = "ids", limit: int | None = None
) -> list[str]:
    """A list parameter of a query: `a,b`, `a, b`, repeated, or mixed. Doubles and blanks are left out, order kept."""
    if values is None:
        return []
    given = [values] if isinstance(values, str) else values
    found = dict.fromkeys(item for part in given for raw in part.split(",") if (item := clean_or_none(raw)))
    if limit is not None and len(found) > limit:
        raise Invalid(f"{field}: {len(found)} values are more than {limit}", field=field)
    return list(found)


def id_list(field: str, values: Iterable[object] | object, *, limit: int | None = None) -> list[int]:
    """Numeric ids from a query parameter (`split_list`) or a JSON list of numbers and numeric strings."""
    items = one_or_many(values)
    if all(isinstance(item, str) for item in items):
        items = list(split_list([str(item) for item in items]))
    ids = dict.fromkeys(number for item in items if (number := to_int(field, item)) is not None)
    if limit is not None and len(ids) > limit:
        raise Invalid(f"{field}: {len(ids)} values are more than {limit}", field=field)
    return list(ids)
