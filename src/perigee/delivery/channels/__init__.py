"""All channels by name. A new one needs its folder and one line here; nothing is imported until it is used."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import msgspec

from perigee.delivery.channel import Channel
from perigee.errors import Invalid, NotFound

CHANNELS: dict[str, str] = {
    "appinbox": "perigee.delivery.channels.appinbox.channel:AppInboxChannel",
    "http_gateway": "perigee.delivery.channels.http_gateway.channel:GatewayChannel",
    "mobilepush": "perigee.delivery.channels.mobilepush.channel:MobilePushChannel",
    "sandbox": "perigee.delivery.channels.sandbox.channel:SandboxChannel",
    "smpp": "perigee.delivery.channels.smpp.channel:SmppChannel",
    "smtp": "perigee.delivery.channels.smtp.channel:SmtpChannel",
    "telegram": "perigee.delivery.channels.telegram.channel:TelegramChannel",
    "webhook": "perigee.delivery.channels.webhook.channel:WebhookChannel",
    "webpush": "perigee.delivery.channels.webpush.channel:WebPushChannel",
}

STANDING = ("smpp",)
"""Kinds whose providers send us things of their own accord over our connection: every worker keeps one (`stand`)."""


def channel_class(name: str) -> type[Channel]:
    """The class behind a provider's `kind`. Raises `NotFound`."""
    try:
        module, _, attribute = CHANNELS[name].partition(":")
    except KeyError:
        raise NotFound(f"there is no channel '{name[:40]}'") from None
    found: type[Channel] = getattr(import_module(module), attribute)
    return found


def read_settings(name: str, settings: object) -> msgspec.Struct:
    """A channel's settings from plain data (the decrypted JSON of a provider row, a posted form).

    Raises `Invalid` with the field and the rule, `NotFound` for an unknown channel.
    """
    try:
        return msgspec.convert(settings, channel_class(name).Settings)
    except msgspec.ValidationError as error:
        raise Invalid(f"settings of {name}: {error}", field="settings") from None


def open_channel(name: str, settings: object, **options: Any) -> Channel:
    """A channel ready to `submit` to; connects when the first message comes. Needs a running event loop."""
    make: Callable[..., Channel] = channel_class(name)
    return make(read_settings(name, settings), **options)


def settings_form(name: str) -> dict[str, Any]:
    """JSON Schema of a channel's settings, for forms; secret fields carry `"secret": true`."""
    return msgspec.json.schema(channel_class(name).Settings)
