"""Boundary and row types of messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from perigee.messages.utm import Utm

NAME_LENGTH = 250
"""Characters of a message's name."""

Channel = Literal["email", "sms", "viber", "mobilepush", "appinbox", "telegram", "webpush", "webhook"]


class MessageCreated(msgspec.Struct):
    id: int


class ViewLink(msgspec.Struct):
    link: str


class MessageCreate(msgspec.Struct, forbid_unknown_fields=True):
    """`content` holds the channel's members in the wire's names (from, subject, htmlText, text …).

    `engine`: the template language; where it is not given, it is told from the texts.
    """

    channel: Channel
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_LENGTH)]
    content: dict[str, Any]
    language: str | None = None
    tags: list[str] = []
    subscriptions_keys: list[str] = []
    translations: dict[str, dict[str, Any]] = {}
    engine: Literal["liquid", "velocity"] | None = None
    utm: Utm = Utm()


class MessageUpdate(msgspec.Struct, forbid_unknown_fields=True):
    """What is absent stays. `utm` as a whole; `{}` is what a new message has."""

    utm: Utm | UnsetType = UNSET


class Message(msgspec.Struct):
    """A message with all its language versions: {language: content}."""

    message_id: int
    channel: str
    name: str
    language: str
    tags: list[str]
    subscriptions_keys: list[str]
    engine: str
    versions: dict[str, dict[str, Any]]
    utm: Utm = Utm()


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
    utm: Utm


@dataclass(frozen=True, slots=True)
class MessageMeta:
    """The members that every channel has beside its content; None: not given."""

    name: str | None
    language: str | None
    tags: list[str] | None
    subscriptions_keys: list[str] | None
