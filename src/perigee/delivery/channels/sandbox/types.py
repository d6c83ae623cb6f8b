"""Boundary types of the sandbox (/api/v4/sandbox)."""

from __future__ import annotations

from datetime import datetime

import msgspec


class SandboxMessage(msgspec.Struct):
    """A line of the list. `headline` is the subject of an email, the beginning of other messages."""

    sandbox_id: int
    send_id: int
    contact_id: int | None
    channel: str
    address: str
    sender: str
    headline: str
    sent_at: datetime


class SandboxLetter(msgspec.Struct):
    """One message taken apart. `headers` and `html` are those of an email, empty for other channels; `text` is an
    email's plain part, or the message itself."""

    sandbox_id: int
    send_id: int
    contact_id: int | None
    channel: str
    address: str
    sender: str
    headline: str
    sent_at: datetime
    headers: list[tuple[str, str]]
    text: str
    html: str
