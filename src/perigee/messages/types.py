"""Boundary and row types of messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec


class MessageCreated(msgspec.Struct):
    id: int


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message with all its language versions: {language: content members}."""

    message_id: int
    channel: str
    name: str
    language: str
    tags: list[str]
    subscriptions_keys: list[str]
    engine: str
    updated_at: datetime
    versions: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class MessageMeta:
    """The members that every channel has beside its content; None: not given."""

    name: str | None
    language: str | None
    tags: list[str] | None
    subscriptions_keys: list[str] | None
