"""Boundary types of senders (/api/v4/senders)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

SenderChannel = Literal["email", "sms", "viber"]


class SenderCreate(msgspec.Struct, forbid_unknown_fields=True):
    """`value`: `"Name" <address>` for email; for SMS an alpha name or a number, for Viber the sender's name."""

    channel: SenderChannel
    value: Annotated[str, msgspec.Meta(min_length=1, max_length=320)]


class Sender(msgspec.Struct):
    sender_id: int
    channel: str
    value: str
    created_at: datetime
