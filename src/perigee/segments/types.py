"""Types that cross the borders of this package."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

Kind = Literal["static", "dynamic"]

MAX_NAME = 255
"""Characters of a segment's name."""


MAX_DESCRIPTION = 2000


class SegmentRow(NamedTuple):
    """A segment without its people. The wire calls it a group."""

    segment_id: int
    name: str
    kind: Kind
    condition: str | None
    """JSON text of the condition tree; None for a list."""
    description: str
    created_at: datetime
    updated_at: datetime


class Category(NamedTuple):
    """A subscription category: a key and the static segment that holds its subscribers."""

    category_id: int
    key: str
    segment_id: int
    name: str
    created_at: datetime
    updated_at: datetime
