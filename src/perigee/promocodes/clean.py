"""The members of a code, checked the same way wherever they come from (contract 21). Pure."""

from __future__ import annotations

from datetime import datetime, tzinfo

from perigee.errors import Invalid
from perigee.lib.dates import to_moment
from perigee.lib.scalars import one_or_many, to_int, to_text
from perigee.promocodes.types import CODE_LENGTH, MOST_DISCOUNT, TYPE_LENGTH


def codes(value: object) -> list[str]:
    """Raises Invalid: none there, one of them is no text or too long."""
    found = [to_text("promocodes", one, limit=CODE_LENGTH) for one in one_or_many(value)]
    given = [code for code in found if code is not None]
    if not given:
        raise Invalid("promocodes: at least one code is required", field="promocodes")
    return given


def expiration(value: object, zone: tzinfo) -> datetime:
    moment = to_moment("expirationDate", value, zone)
    if moment is None:
        raise Invalid("expirationDate: is required", field="expirationDate")
    return moment


def discount(value: object, *, most: int = MOST_DISCOUNT) -> int:
    number = to_int("discount", value, low=0, high=most)
    if number is None:
        raise Invalid("discount: is required", field="discount")
    return number


def type_of(value: object) -> str | None:
    return to_text("type", value, limit=TYPE_LENGTH)


def first_given(*values: object) -> object:
    """The first that is there: what the body says goes before what the query says (contract 21.2)."""
    return next((value for value in values if not (value is None or str(value).strip() == "")), None)
