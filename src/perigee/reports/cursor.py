"""Places in the activity feed, as the wire shows them: the `offset` of a row (contract 11.3).

A UUID of version 8 (RFC 9562) whose text sorts as its row does: 60 bits of microseconds since 1970, 62 bits of the
row's number. Clients take it as an opaque text.
"""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from perigee.errors import Invalid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LOW = (1 << 62) - 1
_FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class Place(NamedTuple):
    """After the row of this time and number."""

    at: datetime
    activity_id: int


def write(place: Place) -> str:
    """The `offset` of a row."""
    micros = (place.at - _EPOCH) // _MICROSECOND
    high, low = micros >> 12, micros & 0xFFF
    return str(uuid.UUID(int=high << 80 | 8 << 76 | low << 64 | 0b10 << 62 | place.activity_id))


def read(text: str) -> Place:
    """The place of an `offset` that `write` made. Raises Invalid."""
    text = text.strip().lower()
    if _FORM.fullmatch(text):
        bits = uuid.UUID(text).int
        micros = (bits >> 80) << 12 | bits >> 64 & 0xFFF
        try:
            return Place(_EPOCH + micros * _MICROSECOND, bits & _LOW)
        except OverflowError:
            pass
    raise Invalid.of("offset", text, "is not the offset of a row")
