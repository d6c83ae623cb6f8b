"""What an operator fills in for an endpoint."""

from __future__ import annotations

import re
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from perigee.delivery.channels.webhook.signing import RESERVED, read_secret
from perigee.lib.urls import is_http_url

_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
"""A token of RFC 9110, 5.6.2."""

Value = Annotated[str, Meta(pattern=r"^[\x20-\x7e]*$", max_length=2048)]


class WebhookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`secret`: `whsec_` and 24 to 64 bytes in base64 (Standard Webhooks); the endpoint knows it too. `headers` go with
    each request; they may hold a sign-in, so they are sealed like the secret."""

    url: Annotated[str, Meta(title="Address", description="Takes the messages by POST.", max_length=2048)]
    secret: Annotated[str, Meta(title="Signing secret", extra_json_schema={"secret": True})]
    headers: Annotated[
        dict[str, Value], Meta(title="Headers", max_length=20, extra_json_schema={"secret": True})
    ] = {}
    connections: Annotated[int, Meta(ge=1, le=200, title="Requests on their way at once")] = 16

    def __post_init__(self) -> None:
        if not is_http_url(self.url):
            raise ValueError("url must begin with http:// or https:// and name no user")
        read_secret(self.secret)
        for name in self.headers:
            if not _NAME.fullmatch(name) or name.lower() in RESERVED:
                raise ValueError(f"headers: '{name[:40]}' is no header that may be set here")
