"""Channels by the wire's names: `mediaType` and `channelType` (contract 8.4, 11.3, 11.4)."""

from __future__ import annotations

MEDIA_TYPES = (
    "email",
    "sms",
    "viber",
    "mobilepush",
    "webpush",
    "appinbox",
    "widget",
    "inapp",
    "telegrambot",
)

CHANNELS = {name: "telegram" if name == "telegrambot" else name for name in MEDIA_TYPES} | {
    "telegram": "telegram"
}
"""The wire's name → ours; Telegram is read by both."""


def media_type(channel: str) -> str:
    """The wire's name of a channel of ours."""
    return "telegrambot" if channel == "telegram" else channel
