"""The members of a code, checked the same way wherever they come from (contract 21). Pure."""

from __future__ import annotations

from datetime import UTC, datetime, time, tzinfo

from perigee.errors import Invalid
from perigee.lib.dates import to_date, to_moment
from perigee.lib.scalars import one_or_many, to_int, to_text
from perigee.promocodes.types import CODE_LENGTH, MOST_DISCOUNT, TYPE_LENGTH

LAST_MINUTE = time(23, 59)


def codes(value: object) -> list[str]:
    """Raises Invalid: none there, one of them is no text or too long."""
    found = [to_text("promocodes", one, limit=CODE_LENGTH) for one in one_or_many(value)]
    given = [code for code in found if code is not None]
    if not given:
        raise Invalid("promocodes: at least one code is required", field="promocodes")
    return given


def expiration(value: object, zone: tzinfo) -> datetime:
    """A bare date means its last minute: a code that ends on a day holds on that day. Raises Invalid."""
    if isinstance(value, str) and ":" not in value and (day := to_date("expirationDate", value)) is not None:
        return datetime.combine(day, LAST_MINUTE, zone).astimezone(UTC)
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
