"""Boundary types of campaign reports (/api/v4/campaigns/{campaign_id}/…)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Dimension = Literal["domain", "language", "send", "link", "url", "device", "client", "os", "hour", "day"]


class Slice(msgspec.Struct, omit_defaults=True):
    """One line of a breakdown. `value` is the domain, the link's number, the hour after launch … ; '' is unknown.

    Ledger figures (`chosen` to `dropped`) are there by domain, language and send. `opened`, `clicked`, `unsubscribed` and
    `complained` count people, `opens` and `clicks` hits; hits of machines are left out of all of them.
    """

    value: str
    about: str = ""
    chosen: int | None = None
    sent: int | None = None
    failed: int | None = None
    uncertain: int | None = None
    dropped: int | None = None
    opened: int | None = None
    clicked: int | None = None
    unsubscribed: int | None = None
    complained: int | None = None
    opens: int | None = None
    clicks: int | None = None


class Person(msgspec.Struct, omit_defaults=True):
    """One chosen recipient. `outcome` is the ledger's; what came later stands beside it. Moments of machines' hits are
    not among them. `attempts`: how often it was tried; `provider_text` is what the other side said last."""

    send_id: int
    ordinal: int
    contact_id: int
    address: str | None
    outcome: str
    reason: str | None
    provider_text: str | None
    language: str | None
    attempts: int
    at: datetime
    opened_at: datetime | None = None
    clicked_at: datetime | None = None
    clicks: int = 0
    unsubscribed_at: datetime | None = None
    complained_at: datetime | None = None
    bounced_at: datetime | None = None
    bounce_text: str | None = None


class Touch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """After which event of a message an order counts as its own, and for how many days."""

    event: Literal["sent", "delivered", "opened", "clicked"] = "clicked"
    days: Annotated[int, Meta(ge=1, le=365)] = 7


class RevenueRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`channels`: which count, and how; those that are not named bring no revenue. Messages with one of `exclude_tags` are
    no touches. `currency` '' is the organisation's; orders in another one are not counted."""

    channels: dict[str, Touch]
    exclude_tags: Annotated[list[Annotated[str, Meta(max_length=50)]], Meta(max_length=100)] = []
    currency: Annotated[str, Meta(pattern=r"^([A-Z]{3})?\Z")] = ""


class Revenue(msgspec.Struct):
    """Delivered orders whose last touch was a message of this campaign. `per_open`, `per_click`: revenue for each person
    who opened or clicked; 0 when nobody did."""

    campaign_id: int
    currency: str
    purchases: int
    buyers: int
    revenue: float
    average: float
    per_open: float
    per_click: float


class Purchase(msgspec.Struct):
    """`touched_at`: the message's event that got the sale."""

    order_id: int
    external_order_id: str
    contact_id: int
    total: float
    ordered_at: datetime
    touched_at: datetime
