"""Boundary types of App Inbox: what the rendering hands in, what the signed-in person's page reads (contract 22.8)."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

Status = Literal["OPENED", "UNOPENED"]


class Payload(msgspec.Struct, rename="camel"):
    """A rendered message as the delivery core hands it to the channel, in the names of the template (contract 18.5).
    What came out empty is not there."""

    title: str = ""
    text: str = ""
    link: str | None = None
    image_source: str | None = None
    custom_data: str | None = None
    """JSON text, as the template has it."""
    ttl_sec: int | None = None


class InboxMessage(msgspec.Struct, rename="camel", omit_defaults=True):
    """A message in somebody's inbox; what it does not have is left out."""

    id: str
    """The message's fixed id (UUID), by which webhooks and interactions know it too."""
    created_date: int
    """Milliseconds since 1970."""
    title: str
    content: str
    new_message: bool
    """Not opened yet."""
    status: Status
    image: str | UnsetType = UNSET
    link: str | UnsetType = UNSET
    category: str | UnsetType = UNSET
    custom_data: str | UnsetType = UNSET


class InboxPage(msgspec.Struct, rename={"messages": "list", "total_pages": "totalPages"}):
    messages: list[InboxMessage]
    total_pages: int


class Unread(msgspec.Struct):
    count: int


class StatusChange(msgspec.Struct):
    """`ids` null or absent: all messages of the inbox. An empty list names none."""

    status: Any = None
    ids: Any = None


class ContactToken(msgspec.Struct):
    token: str
    """Empty for an unknown contact."""


class WireIdentity(msgspec.Struct, rename="camel"):
    """Who is signed in; one member is enough. `extid` is OpenCart's name of `externalCustomerId`."""

    email: Any = None
    phone: Any = None
    external_customer_id: Any = None
    extid: Any = None
