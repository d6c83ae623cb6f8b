"""Boundary types of exports."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from perigee.campaigns.plan import FollowUp

Kind = Literal["contacts", "orders", "order_items", "events", "unsubscribed", "recipients"]
State = Literal["waiting", "running", "done", "failed", "cancelled", "erased"]


class Recipients(msgspec.Struct, forbid_unknown_fields=True):
    """Everybody of a campaign and what became of them, narrowed as its table of recipients is."""

    campaign_id: int
    outcome: Literal["sent", "failed", "dropped", "uncertain"] | None = None
    engaged: Literal["opened", "clicked", "unsubscribed", "complained"] | None = None
    reason: str | None = None
    domain: str | None = None


class ExportCreate(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What to export. Only the members of its kind may be given.

    `contacts`: the people of `segment_id`, of `condition` (as segments have them) or of an earlier campaign (`follow`);
    everybody without one of these. They go into a file, into `lists`, into a list of the name `new_list`.
    `orders`, `order_items` and `events`: of the period [`first`, `until`), of `contact_id`, of `status` or `event_type`.
    `unsubscribed`: addresses that must not be written to. `recipients`: of the campaign.
    """

    kind: Kind = "contacts"
    segment_id: int | None = None
    condition: Any = None
    follow: FollowUp | None = None
    recipients: Recipients | None = None
    contact_id: int | None = None
    status: str | None = None
    event_type: str | None = None
    first: datetime | None = None
    until: datetime | None = None
    columns: Annotated[list[str], Meta(max_length=500)] | None = None
    """Names of columns in their order; absent: all of the kind. `email` alone is the short form."""
    guarded: bool = True
    """Cells that a spreadsheet would take for a formula get an apostrophe in front. False: for programs."""
    file: bool = True
    """False: the people only go into lists."""
    lists: Annotated[list[int], Meta(max_length=20)] = []
    new_list: str | None = None


class Export(msgspec.Struct, omit_defaults=True):
    """An export and how far it is."""

    export_id: int
    kind: Kind
    state: State
    request: dict[str, Any]
    created_at: datetime
    done: int
    """Rows written, or people put into lists."""
    total: int | None = None
    """Absent where it is not known beforehand."""
    rate: float | None = None
    """Rows a second so far."""
    bytes: int = 0
    lists: list[int] = []
    attached: int = 0
    """Of the people, those that were new in these lists."""
    error: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    expires_at: datetime | None = None
    """When the file is deleted."""
    link: str | None = None
    """Opens the file without a key, until then."""


class Row(NamedTuple):
    """As it is stored."""

    export_id: int
    kind: Kind
    request: dict[str, Any]
    state: State
    total: int | None
    done: int
    pieces: int
    place: list[Any] | None
    bytes: int
    attached: int
    lists: list[int]
    error: str | None
    created_at: datetime
    started_at: datetime | None
    moved_at: datetime | None
    finished_at: datetime | None


class Rows(NamedTuple):
    """A page of an export, and behind what the next one begins; `place` None: this was the last."""

    rows: list[tuple[Any, ...]]
    place: list[Any] | None
