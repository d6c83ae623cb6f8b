"""What is stored about one person, section by section. Times are UTC; money is in the currency beside it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec


class AddressData(msgspec.Struct):
    kind: str
    value: str
    confirmed: bool
    created_at: datetime
    unsubscribed_at: datetime | None
    unsubscribe_source: str | None
    unsubscribe_reason: str | None
    complained_at: datetime | None
    blacklisted_at: datetime | None
    blacklist_reason: str | None
    blocked_until: datetime | None


class ConsentData(msgspec.Struct):
    at: datetime
    kind: str
    value: str
    action: str
    source: str
    reason: str | None
    detail: dict[str, Any]


class TokenData(msgspec.Struct):
    """`token` is cut: whole, it lets its reader send."""

    kind: str
    app_id: str
    token: str
    active: bool
    device: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class ListData(msgspec.Struct):
    """`category`: the key of the subscription category whose list it is."""

    segment_id: int
    name: str
    category: str | None
    joined_at: datetime


class EventData(msgspec.Struct):
    occurred_at: datetime
    type: str
    key: str | None
    source: str
    params: dict[str, Any]


class OrderData(msgspec.Struct):
    external_order_id: str
    status: str
    total: Decimal
    currency: str
    ordered_at: datetime
    source: str
    details: dict[str, Any]
    created_at: datetime
    items: list[dict[str, Any]]


class MessageData(msgspec.Struct):
    """A message to the person. `data`: what the caller of the API said for it."""

    at: datetime
    channel: str | None
    kind: str | None
    message: str | None
    address: str | None
    outcome: str
    reason: str | None
    provider_text: str | None
    language: str | None
    data: Any


class ActivityData(msgspec.Struct):
    at: datetime
    channel: str
    status: str
    message: str | None
    link_no: int | None
    detail: str | None
    meta: dict[str, Any] | None


class InboxData(msgspec.Struct):
    created_at: datetime
    title: str
    content: str
    image: str | None
    link: str | None
    category: str | None
    custom_data: str | None
    expires_at: datetime
    opened_at: datetime | None


class BrowserData(msgspec.Struct):
    visitor_id: str
    bound_at: datetime


class PromoCodeData(msgspec.Struct):
    code: str
    discount: int
    type: str | None
    expires_at: datetime
    taken_at: datetime | None


class DataFileData(msgspec.Struct):
    file_id: int
    value: Any


class CellData(msgspec.Struct):
    """Where the person stands in a grid of RFM."""

    grid: str
    recency: int
    frequency: int
    times: int
    total: Decimal
    last_at: datetime


class MergeData(msgspec.Struct):
    at: datetime
    survivor_id: int
    merged_id: int
    merged_card: dict[str, Any] | None
    undone_at: datetime | None


class PersonData(msgspec.Struct):
    """`card`: the contact's own row; `fields`: additional fields by GROUP.FIELD."""

    contact_id: int
    exported_at: datetime
    card: dict[str, Any]
    fields: dict[str, Any]
    addresses: list[AddressData]
    consent: list[ConsentData]
    tokens: list[TokenData]
    lists: list[ListData]
    events: list[EventData]
    orders: list[OrderData]
    messages: list[MessageData]
    activity: list[ActivityData]
    inbox: list[InboxData]
    browsers: list[BrowserData]
    promo_codes: list[PromoCodeData]
    data_files: list[DataFileData]
    rfm: list[CellData]
    merges: list[MergeData]
