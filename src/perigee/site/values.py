"""Values as pages write them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlencode

from perigee.errors import Invalid
from perigee.lib.scalars import to_decimal, to_text
from perigee.lib.urls import parse_http_url

TEXT_LENGTH = 1000
ID_LENGTH = 300
TAG_PREFIX = "tag_"

_CURRENCY = re.compile(r"([A-Za-z]{3})\s*$|^\s*([A-Za-z]{3})(?=[\s0-9])")
_GROUPS = re.compile(r"[\s\u00a0\u202f']")


class Price:
    """An amount with the currency that stands beside it, if one does."""

    __slots__ = ("amount", "currency")

    def __init__(self, amount: Decimal | None, currency: str | None) -> None:
        self.amount = amount
        self.currency = currency


def price(field: str, value: Any) -> Price:
    """Of a number, `"9.50 EUR"`, `"1 299,00 UAH"` or nothing. Raises Invalid."""
    if not isinstance(value, str):
        return Price(to_decimal(field, value, places=4), None)
    found = _CURRENCY.search(value)
    currency = None if found is None else (found[1] or found[2]).upper()
    digits = _GROUPS.sub("", _CURRENCY.sub("", value) if found else value)
    point = max(digits.rfind("."), digits.rfind(","))
    if point >= 0:
        digits = digits[:point].replace(",", "").replace(".", "") + "." + digits[point + 1 :]
    try:
        return Price(to_decimal(field, digits, places=4), currency)
    except Invalid:
        raise Invalid.of(field, value, "is not an amount like 9.50 or 9.50 EUR") from None


def currency(field: str, value: Any) -> str | None:
    """ISO 4217 in capitals. Raises Invalid."""
    text = to_text(field, value)
    if text is not None and not re.fullmatch("[A-Za-z]{3}", text):
        raise Invalid.of(field, text, "is not a currency like EUR")
    return None if text is None else text.upper()


def required(field: str, value: Any) -> str:
    """Text that must be there. Raises Invalid."""
    text = to_text(field, value, limit=ID_LENGTH)
    if text is None:
        raise Invalid(f"{field}: is required", field=field)
    return text


def number(value: Decimal) -> int | Decimal:
    """As JSON shows it best: 2 rather than 2.00."""
    return int(value) if value == value.to_integral_value() else value.normalize()


def flag(field: str, value: Any) -> int | None:
    """0 or 1 of `"0"`, `"1"`, numbers and booleans. Raises Invalid."""
    text = to_text(field, value)
    if text is None:
        return None
    found = {"0": 0, "1": 1, "false": 0, "true": 1}.get(text.lower())
    if found is None:
        raise Invalid.of(field, text, "is not 0 or 1")
    return found


def texts(field: str, value: Any) -> list[str]:
    """One text or many, blanks left out. Raises Invalid."""
    items = value if isinstance(value, list) else [value]
    return [text for item in items if (text := to_text(field, item, limit=TEXT_LENGTH)) is not None]


def tags(field: str, members: Mapping[str, Any], *, prefix: str = TAG_PREFIX) -> dict[str, list[str]]:
    """The further properties of a product, `tag_color: ["blue"]`, without their prefix. Raises Invalid."""
    found = {
        name.removeprefix(prefix): texts(f"{field}.{name}", value)
        for name, value in members.items()
        if name.startswith(prefix) and len(name) > len(prefix)
    }
    return {name: values for name, values in found.items() if values}


def listing(field: str, value: Any) -> list[Mapping[str, Any]]:
    """Objects; null elements are left out, one object may stand for a list of one. Raises Invalid."""
    items = [value] if isinstance(value, dict) else [] if value is None else value
    if not isinstance(items, list):
        raise Invalid(f"{field}: must be a list of objects", field=field)
    items = [item for item in items if item is not None]
    if not all(isinstance(item, dict) for item in items):
        raise Invalid(f"{field}: must be a list of objects", field=field)
    return items


def section(field: str, value: Any) -> Mapping[str, Any]:
    """An object, absent = empty. Raises Invalid."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Invalid(f"{field}: must be an object", field=field)
    return value


def location(value: Any) -> str | None:
    """The address of a page, without its fragment, and without parameters that hold somebody's email address.

    None when it is no address. A page's address must not become a place where addresses of people gather.
    """
    url = parse_http_url(value) if isinstance(value, str) else None
    if url is None:
        return None
    query = parse_qsl(url.raw_query_string, keep_blank_values=True)
    kept = [(name, given) for name, given in query if "@" not in given]
    bare = str(url.with_fragment(None).with_query(None))
    return (bare + ("?" + urlencode(kept) if kept else ""))[:TEXT_LENGTH]
