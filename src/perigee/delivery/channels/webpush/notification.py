"""From the rendered members of a message to what the worker in the browser shows. Pure.

The members are those of `messages.contents.WebPush`; the names that come out are documented at the top of
`push/assets/worker.js`.
"""

from __future__ import annotations

import uuid
from typing import Any, Final, Literal, NamedTuple

import msgspec

from perigee.lib.tokens import encode

DEFAULT_TTL: Final = 86_400
LONGEST_TTL: Final = 28 * 86_400
"""Four weeks; services keep nothing longer."""

Urgency = Literal["very-low", "low", "normal", "high"]


class Button(msgspec.Struct, rename="camel"):
    label: str = ""
    link: str = ""


class Card(msgspec.Struct, rename="camel"):
    title: str = ""
    text: str = ""
    link: str = ""
    link_raw: str = ""
    icon_source: str = ""
    image_source: str = ""
    ttl_sec: int | None = None
    urgency: Urgency = "normal"
    buttons: list[Button] = []


class Notification(NamedTuple):
    """`topic`: at the service a message takes the place of one with the same topic that still waits (RFC 8030, 5.4)."""

    body: bytes
    ttl: int
    urgency: Urgency
    topic: str


def read(payload: bytes, iid: str) -> Notification:
    """`iid`: the message's id. Topic and `tag` come from it, so that a message sent again, because the answer was lost,
    replaces the first copy at the service or on the screen. Raises msgspec.MsgspecError for a payload that is none."""
    card = msgspec.json.decode(payload, type=Card)
    return Notification(
        msgspec.json.encode(_shown(card, iid)), ttl_of(card.ttl_sec), card.urgency, topic_of(iid)
    )


def ttl_of(named: int | None) -> int:
    """Seconds that the service keeps the message for a browser that is away; never 0, which drops it."""
    return min(named, LONGEST_TTL) if named is not None and named > 0 else DEFAULT_TTL


def topic_of(iid: str) -> str:
    """22 characters of the 32 that there may be."""
    return encode(uuid.UUID(iid).bytes)


def _shown(card: Card, iid: str) -> dict[str, Any]:
    members: dict[str, Any] = {
        "es_interaction_id": iid,
        "es_title": card.title,
        "es_content": card.text,
        "es_link": card.link,
        "es_link_raw": card.link_raw,
        "icon": card.icon_source,
        "image": card.image_source,
        "tag": iid,
        "es_buttons": [_button(button) for button in card.buttons],
    }
    return {name: value for name, value in members.items() if value}


def _button(button: Button) -> dict[str, str]:
    """Without a link of its own it leads where the message leads."""
    return {"title": button.label, "link": button.link} if button.link else {"title": button.label}
