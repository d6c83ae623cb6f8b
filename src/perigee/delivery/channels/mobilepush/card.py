"""The rendered members of a mobile push, and what both services get of it. Pure.

The app finds the interaction id, the texts and the links under the names of contract 22.6.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

DEFAULT_TTL: Final = 86_400
LONGEST_TTL: Final = 28 * 86_400
LARGEST: Final = 4_096
"""Bytes of a message, for both services."""


class Button(msgspec.Struct, rename="camel", omit_defaults=True):
    action_id: str = ""
    label: str = ""
    ios_icon_path: str = ""
    link: str = ""
    custom_data: str = ""


class Card(msgspec.Struct, rename="camel"):
    title: str = ""
    text: str = ""
    subtitle: str = ""
    link: str = ""
    link_raw: str = ""
    image_source: str = ""
    images: list[str] = []
    custom_data: str = ""
    ttl_sec: int | None = None
    buttons: list[Button] = []
    sound_enabled: bool | None = None
    badge_count: int | None = None

    @property
    def ttl(self) -> int:
        """Seconds that a service keeps the message for a device that is away; never 0, which drops it."""
        if self.ttl_sec is None or self.ttl_sec <= 0:
            return DEFAULT_TTL
        return min(self.ttl_sec, LONGEST_TTL)

    @property
    def image(self) -> str:
        return self.image_source or (self.images[0] if self.images else "")

    def data(self, iid: str) -> dict[str, Any]:
        """For the app: the members of `customData` beside ours. Raises msgspec.MsgspecError."""
        custom = msgspec.json.decode(self.custom_data) if self.custom_data else {}
        if not isinstance(custom, dict):
            custom = {"custom_data": custom}
        ours = {
            "es_interaction_id": iid,
            "es_title": self.title,
            "es_content": self.text,
            "es_subtitle": self.subtitle,
            "es_link": self.link,
            "es_link_raw": self.link_raw,
            "es_image": self.image,
            "es_images": self.images,
            "es_buttons": msgspec.to_builtins(self.buttons),
        }
        return {**custom, **{name: value for name, value in ours.items() if value}}


def read(payload: bytes) -> Card:
    """Raises msgspec.MsgspecError."""
    return msgspec.json.decode(payload, type=Card)
