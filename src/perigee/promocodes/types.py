"""Types that cross the borders of this package."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, NamedTuple

import msgspec

CODE_LENGTH = 100
TYPE_LENGTH = 100
MOST_DISCOUNT = 2**31 - 1

Code = Annotated[str, msgspec.Meta(min_length=1, max_length=CODE_LENGTH)]


class NewCode(NamedTuple):
    """A code to add or change. None leaves what is stored: no type, and not in use, for a new code."""

    code: str
    discount: int
    expires_at: datetime
    type: str | None = None
    in_use: bool | None = None


class PromoCode(msgspec.Struct):
    """A code of the pool."""

    code: str
    discount: int
    type: str | None
    expires_at: datetime
    in_use: bool
    contact_id: int | None
    """Who got it from us."""
    taken_at: datetime | None


class Filters(NamedTuple):
    """None does not filter. `valid_at`: codes that still hold then."""

    type: str | None = None
    in_use: bool | None = None
    discount: int | None = None
    valid_at: datetime | None = None
