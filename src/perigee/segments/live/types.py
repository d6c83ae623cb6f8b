"""Types that cross the borders of this package."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

Status = Literal["building", "settling", "ready", "failed", "too_expensive"]
"""`building`: nobody is worked in yet. `settling`: changes are followed, what was changed just before is still looked
for. `ready`: right to the second. `failed` and `too_expensive` say in `error` why; both are tried again later."""


class Busy(NamedTuple):
    org_id: int
    lane: int


class State(NamedTuple):
    status: str
    shape: str
    kinds: int


class Due(NamedTuple):
    """A segment taken to be worked out, until the lease ends."""

    org_id: int
    segment_id: int
    status: str
    lease: datetime


class Standing(msgspec.Struct):
    """What is kept of a dynamic segment: how many people, and up to when that is right. `building`: being worked out for
    the first time. `settling`: followed, and looked at once more. `failed` and `too_expensive`: it stands still, `error`
    says why, and is tried again."""

    status: Status
    people: int
    evaluated_at: datetime | UnsetType = UNSET
    error: str | UnsetType = UNSET


class Day(msgspec.Struct):
    """One day of the organisation's zone: people at its end, or by now, and how many came and left."""

    day: date
    count: int
    joined: int
    left: int


class Growth(msgspec.Struct):
    """Oldest first; days on which nothing was counted are left out."""

    days: list[Day]


class ContactSegment(msgspec.Struct):
    """A dynamic segment that a contact is in."""

    segment_id: int
    name: str
    since: datetime


class Change(msgspec.Struct):
    """Somebody came in (`joined`) or left."""

    change_id: int
    contact_id: int
    joined: bool
    at: datetime


class ContactSegments(msgspec.Struct):
    items: list[ContactSegment]
