"""Boundary types of campaigns (/api/v4/campaigns and the CLI)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from perigee.campaigns.plan import Plan
from perigee.messages.utm import Utm

State = Literal[
    "draft",
    "awaiting_approval",
    "scheduled",
    "held",
    "preparing",
    "running",
    "paused",
    "stopped",
    "finished",
    "failed",
    "cancelled",
]
PaceUnit = Literal["MINUTE", "HOUR", "DAY", "MONTH"]


class Pace(msgspec.Struct, forbid_unknown_fields=True):
    """At most `count` messages per `unit`."""

    count: Annotated[int, msgspec.Meta(ge=1, le=100_000_000)]
    unit: PaceUnit


class CampaignCreate(msgspec.Struct, forbid_unknown_fields=True):
    """`include` and `exclude` are segment ids; a contact in several gets one copy. `app_id`: of the people's many push
    and Telegram tokens only those of this application. `utm` goes before the message's."""

    message_id: int
    include: Annotated[list[int], msgspec.Meta(max_length=500)] = []
    exclude: Annotated[list[int], msgspec.Meta(max_length=500)] = []
    title: Annotated[str, msgspec.Meta(max_length=250)] = ""
    pace: Pace | None = None
    app_id: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    utm: Utm | None = None
    plan: Plan | None = None


class LaunchRequest(msgspec.Struct, forbid_unknown_fields=True):
    """`at` absent: now. Without an offset the organisation's time zone applies. Of a campaign with `local_time` only the
    date counts."""

    at: str | None = None


class Campaign(msgspec.Struct):
    campaign_id: int
    title: str
    message_id: int
    channel: str
    include: list[int]
    exclude: list[int]
    state: State
    scheduled_at: datetime | None
    pace: Pace | None
    send_id: int | None
    error: str | None
    created_at: datetime
    updated_at: datetime
    app_id: str | None
    utm: Utm | None = None
    plan: Plan | None = None


class AudienceCount(msgspec.Struct):
    """What a launch at this moment would do. `chosen` = `reachable` + the sum of `dropped`."""

    chosen: int
    reachable: int
    dropped: dict[str, int]


class Progress(msgspec.Struct):
    """`chosen` = `dropped` + `sent` + `failed` + `uncertain` + `waiting`, at every moment.

    `waiting` includes `in_flight` (handed over or about to be) and `retrying` (asked to come back later).
    """

    campaign_id: int
    state: State
    chosen: int
    dropped: int
    sent: int
    failed: int
    uncertain: int
    waiting: int
    in_flight: int
    retrying: int
    rate: float
    """Messages per second over the last ten seconds."""
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None


class LinkClicks(msgspec.Struct):
    url: str
    clicks: int
    people: int


class VariantResult(msgspec.Struct):
    """`variant` counts from 1; 0 is the rest. `winner`: the rest got its content. `people` were chosen for it."""

    variant: int
    name: str
    people: int
    sent: int
    failed: int
    opened: int
    clicked: int
    converted: int
    winner: bool


class WinnerChoice(msgspec.Struct, forbid_unknown_fields=True):
    """The number of a variant, from 1."""

    variant: Annotated[int, msgspec.Meta(ge=1, le=8)]


class GroupResult(msgspec.Struct):
    """`name`: sent or holdout. `converted`: of its people, those who reached the goal."""

    name: str
    people: int
    converted: int


class Report(msgspec.Struct):
    """The funnel: `chosen` equals sent, failed, uncertain, waiting and dropped added up. People, not hits. `bounced` are
    those of `sent` that the provider took and that came back later, by reason. `groups`: of a campaign with a holdout or a goal; `variants`:
    of one with an experiment. `machine_opened`, `machine_clicked`: for how many a machine did it (`delivery.machines`), whom
    `opened` and `clicked` hold only when they did it themselves too."""

    campaign_id: int
    title: str
    state: State
    chosen: int
    sent: int
    failed: dict[str, int]
    bounced: dict[str, int]
    uncertain: int
    waiting: int
    dropped: dict[str, int]
    opened: int
    clicked: int
    unsubscribed: int
    complained: int
    machine_opened: int
    machine_clicked: int
    links: list[LinkClicks]
    groups: list[GroupResult] | None = None
    variants: list[VariantResult] | None = None
