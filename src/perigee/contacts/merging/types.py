"""Types that cross the borders of this package."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from perigee.contacts.merging.cards import Card

Shared = Literal["email", "phone"]
Keep = Literal["earlier", "later"]

SHOWN = 100
"""Contacts of a group that are named; the count is of all."""


class Pair(NamedTuple):
    survivor_id: int
    merged_id: int


class StoredMerge(NamedTuple):
    """The cards are none when the merge cannot be undone any more."""

    survivor_id: int
    merged_id: int
    survivor_card: Card | None
    merged_card: Card | None
    written_card: Card | None
    undone_at: datetime | None


class DuplicateGroup(msgspec.Struct):
    """Living contacts that share an address; the first hundred are named, by id."""

    value: str
    count: int
    contact_ids: list[int]


class SharedCount(msgspec.Struct):
    groups: int
    contacts: int


class DuplicateCounts(msgspec.Struct):
    email: SharedCount
    phone: SharedCount


class Merge(msgspec.Struct):
    """`merged_id` is no contact any more; what was its is the survivor's."""

    merge_id: int
    survivor_id: int
    merged_id: int
    merged_by: str
    at: datetime
    undone_by: str | None
    undone_at: datetime | None
    can_be_undone: bool


class MergeRun(msgspec.Struct):
    """`groups` were there when it began, `seen` are through. `merged` and `refused` are contacts; refused are those with
    another external id than the one that would stay."""

    run_id: int
    by: str
    keep: str
    state: str
    groups: int
    seen: int
    merged: int
    refused: int
    asked_by: str
    created_at: datetime
    updated_at: datetime
