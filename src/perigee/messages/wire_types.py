"""The template of each channel as the old wire writes and answers it (contract 18): for the OpenAPI file."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from perigee.messages.contents import CONTENTS


def _written(channel: str, content: type[msgspec.Struct]) -> type[msgspec.Struct]:
    return msgspec.defstruct(
        content.__name__ + "Template",
        [
            ("name", str),
            ("languageCode", str | None, None),
            ("tags", list[str], msgspec.field(default_factory=list)),
            ("subscriptionsKeys", list[str], msgspec.field(default_factory=list)),
            *([("id", int | str | None, None)] if channel == "email" else []),
        ],
        bases=(content,),
        kw_only=True,
        omit_defaults=True,
        namespace={"__doc__": "The members of the base message and of one language version."},
    )


def _read(content: type[msgspec.Struct]) -> type[msgspec.Struct]:
    version: list[Any] = [
        ("name", str),
        ("languageCode", str),
        ("tags", list[str]),
        ("subscriptionsKeys", list[str]),
    ]
    translation = msgspec.defstruct(
        content.__name__ + "Translation", version, bases=(content,), kw_only=True, omit_defaults=True
    )
    return msgspec.defstruct(
        content.__name__ + "Message",
        [
            *version,
            ("id", int),
            ("languages", list[str]),
            ("translations", list[translation] | UnsetType, UNSET),  # type: ignore[valid-type]  # made at run time
        ],
        bases=(content,),
        kw_only=True,
        omit_defaults=True,
    )


WRITTEN = {channel: _written(channel, content) for channel, content in CONTENTS.items()}
"""Channel → body of the methods that create and change."""
READ = {channel: _read(content) for channel, content in CONTENTS.items()}
"""Channel → answer of the methods that read."""

EXAMPLES: dict[str, dict[str, Any]] = {
    "email": {
        "name": "Welcome",
        "from": '"Example Shop" <news@example.com>',
        "subject": "Hello, %FIRSTNAME|friend%",
        "htmlText": '<html><body>Hi <a href="https://esputnik.com/unsubscribe">Unsubscribe</a></body></html>',
        "languageCode": "en",
        "tags": ["promo"],
    },
    "sms": {"name": "Code", "from": "EXAMPLE", "text": "Your code: $!data.get('code')", "trackUrls": False},
    "viber": {
        "name": "Sale",
        "from": "EXAMPLE",
        "text": "Sale today",
        "img": "https://shop.example.com/s.png",
        "caption": "Open",
        "action": "https://shop.example.com/sale",
    },
    "mobilepush": {
        "name": "Order paid",
        "title": "Order confirmed",
        "text": "Order $!data.get('externalOrderId') is confirmed",
        "link": "https://shop.example.com/orders",
        "buttons": [{"actionId": "open", "label": "Open"}],
    },
    "appinbox": {"name": "Bonus", "title": "A gift", "text": "You have 50 points"},
    "telegram": {
        "name": "Bot hello",
        "text": "Hello",
        "buttons": [{"text": "Open shop", "link": "https://shop.example.com"}],
    },
}
"""Channel → a body that works (contract 18.1 to 18.6)."""
