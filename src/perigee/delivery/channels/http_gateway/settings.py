"""What an operator fills in for an HTTP gateway: a preset, or a gateway of their own, and the account at it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from perigee.delivery.channels.http_gateway.gateway import Gateway, preset

Word = Annotated[str, Meta(pattern=r"^[^\x00\r\n]*$", max_length=2048)]


class GatewaySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Exactly one of `preset` and `gateway`. `values`: what the gateway's templates name beyond the message's own values
    (Infobip: `server`, the account's own address)."""

    preset: Annotated[str, Meta(title="Preset", description="A gateway we know: twilio, infobip, …")] = ""
    gateway: Gateway | None = None
    values: dict[str, Word] = {}
    username: Annotated[Word, Meta(title="User", description="Of basic sign-in: account, API key.")] = ""
    password: Annotated[Word, Meta(title="Password", extra_json_schema={"secret": True})] = ""
    token: Annotated[Word, Meta(title="API key or token", extra_json_schema={"secret": True})] = ""
    signature_secret: Annotated[
        Word,
        Meta(
            title="Signature secret",
            description="With it, reports without a right signature are refused. Twilio: the account's password.",
            extra_json_schema={"secret": True},
        ),
    ] = ""
    callbacks: Annotated[
        bool, Meta(title="Reports", description="Off where the gateway cannot reach us from outside.")
    ] = True
    connections: Annotated[int, Meta(ge=1, le=200, title="Messages on their way at once")] = 32

    def __post_init__(self) -> None:
        if bool(self.preset) == (self.gateway is not None):
            raise ValueError("either preset or gateway must be given")
        for gateway in preset(self.preset).values() if self.preset else (self.gateway,):
            assert gateway is not None
            if missing := sorted(gateway.needs - self.values.keys()):
                raise ValueError(f"values must hold {', '.join(missing)}")

    def of(self, medium: str) -> Gateway:
        """Raises ValueError where the preset does not carry the medium."""
        if self.gateway is not None:
            return self.gateway
        found = preset(self.preset).get(medium)
        if found is None:
            raise ValueError(f"{self.preset} carries no {medium}")
        return found
