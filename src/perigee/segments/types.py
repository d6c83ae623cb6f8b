"""Types that cross the borders of this package."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from perigee.contacts.types import Contact
from perigee.segments.live.types import Standing

Kind = Literal["static", "dynamic"]

MAX_NAME = 255
"""Characters of a segment's name."""

MAX_DESCRIPTION = 2000


class Segment(msgspec.Struct):
    """`condition` is the tree of a dynamic segment, null for a list; only a dynamic one has `live`."""

    segment_id: int
    name: str
    kind: str
    condition: Any
    description: str
    created_at: datetime
    updated_at: datetime
    tags: list[str]
    live: Standing | UnsetType = UNSET


class SegmentCreate(msgspec.Struct, forbid_unknown_fields=True):
    """With a condition it is a dynamic segment, without one a list."""

    name: str
    condition: Any = None
    description: str = ""
    tags: list[str] = []


class SegmentUpdate(msgspec.Struct, forbid_unknown_fields=True):
    """What is absent stays."""

    name: str | UnsetType = UNSET
    condition: Any = UNSET
    description: str | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET


class Count(msgspec.Struct):
    count: int
    at: datetime


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
    tags: list[str]


class Category(NamedTuple):
    """A subscription category: a key and the static segment that holds its subscribers."""

    category_id: int
    key: str
    segment_id: int
    name: str
    created_at: datetime
    updated_at: datetime


class Preview(msgspec.Struct):
    """How many hold at the moment `at`, and the first of them by id."""

    count: int
    sample: list[Contact]
    at: datetime
