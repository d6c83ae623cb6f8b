"""Boundary types of consent (/api/v4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class UnsubscribeReason(msgspec.Struct, omit_defaults=True):
    """What somebody said on leaving. `kind`: email, phone, or that of a push token; `value`: the address. `source`: page
    (the link of a message), preferences, api … `send_id` and what follows: the message whose link was used."""

    log_id: int
    at: datetime
    kind: str
    value: str
    source: str
    contact_id: int | None = None
    reason: str | None = None
    comment: str | None = None
    send_id: int | None = None
    campaign_id: int | None = None
    message_id: int | None = None
    message_name: str | None = None


class ConsentEntry(msgspec.Struct, omit_defaults=True):
    """One change of a person's consent. `kind`: email, phone, category, or that of a push token. `action`: subscribed,
    unsubscribed, resubscribed, confirmed, complained, blacklisted … `detail`: its proof (words shown, IP, browser)."""

    log_id: int
    at: datetime
    kind: str
    value: str
    action: str
    source: str
    contact_id: int | None = None
    reason: str | None = None
    send_id: int | None = None
    detail: dict[str, Any] = {}
