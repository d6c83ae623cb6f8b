"""SMS and Viber through a gateway that takes HTTP: each message is a request of its own, many at once.

A timeout after the request was written is *uncertain* (reliability 11), unless the gateway takes our reference once only:
then the message is sent a second time under the same one.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from perigee.delivery.channel import (
    LEASE_LOST,
    STALE,
    DeliveryEvent,
    Medium,
    Outcome,
    Outgoing,
    ProviderRequest,
    Reason,
    Receipt,
)
from perigee.delivery.channels.http_gateway import templates
from perigee.delivery.channels.http_gateway.answers import read_answer
from perigee.delivery.channels.http_gateway.gateway import Gateway
from perigee.delivery.channels.http_gateway.receipts import REFERENCE, read_receipts
from perigee.delivery.channels.http_gateway.settings import GatewaySettings
from perigee.delivery.request_channel import RequestChannel
from perigee.errors import Invalid
from perigee.lib.outside import Limits, NoAnswer, Outside, Rules, Unreachable

LIMITS: Final = Limits(size=262_144, total=12.0, idle=10.0)
"""Two tries stay within a lease."""
TYPES: Final = {"json": "application/json", "form": "application/x-www-form-urlencoded"}

UNCERTAIN: Final = Receipt(Outcome.UNCERTAIN, Reason.ANSWER_LOST, "the gateway gave no answer")
UNREACHABLE: Final = Receipt(
    Outcome.DEFERRED, Reason.PROVIDER_UNREACHABLE, "the gateway cannot be reached", counted=False
)


class GatewayChannel(RequestChannel):
    medium = Medium.SMS
    media = frozenset({Medium.SMS, Medium.VIBER})
    places = frozenset({"preset", "gateway", "values"})
    Settings = GatewaySettings
    limits = LIMITS
    broken = UNCERTAIN

    def __init__(self, settings: GatewaySettings, *, medium: str, rules: Rules, callback: str) -> None:
        """`callback`: the address that the gateway calls with its reports."""
        try:
            self._gateway: Gateway = settings.of(medium)
        except ValueError as error:
            raise Invalid.of("settings", settings.preset, str(error)) from None
        self._settings = settings
        self._medium = medium
        self._callback = callback
        super().__init__(rules, settings.connections)
        self.reports = settings.callbacks and self._gateway.reports is not None

    async def check(self) -> None:
        """Whether anybody is at the gateway's address; no gateway signs in without a message."""
        await self.reach(templates.fill_url(self._gateway.url, self._values_of_account()))

    def read_events(self, request: ProviderRequest) -> list[DeliveryEvent]:
        if self._gateway.reports is None:
            return []
        return read_receipts(
            self._gateway.reports,
            request,
            url=self._callback,
            secret=self._settings.signature_secret,
            now=datetime.now(UTC),
        )

    async def deliver(self, outside: Outside, outgoing: Outgoing) -> Receipt:
        values = self._values(outgoing)
        tries = 2 if self._gateway.once else 1
        for number in range(tries):
            if outgoing.allow_send is not None and not outgoing.allow_send():
                return UNCERTAIN if number else LEASE_LOST
            if not number and time.monotonic() > outgoing.fresh_until:
                return STALE
            try:
                return await self._request(outside, values)
            except NoAnswer:
                continue
            except Unreachable:
                return UNCERTAIN if number else UNREACHABLE
            except Invalid as error:
                return Receipt(Outcome.DEFERRED, Reason.PROVIDER_REFUSED, error.message[:500], counted=False)
        return UNCERTAIN

    async def _request(self, outside: Outside, values: Mapping[str, str]) -> Receipt:
        """Raises what `Outside.request` raises, as long as there was no status."""
        gateway = self._gateway
        link = templates.fill_url(gateway.url, values)
        headers = {name: templates.fill_header(one, values) for name, one in gateway.headers.items()}
        headers |= self._sign_in()
        filled = templates.fill_body(gateway.template, values)
        body = None
        if gateway.body == "query":
            link += ("&" if "?" in link else "?") + templates.encode("form", filled).decode()
        else:
            body = templates.encode(gateway.body, filled)
            headers["Content-Type"] = TYPES[gateway.body]
        status = 0
        try:
            async with outside.request(
                gateway.method, link, limits=LIMITS, field="url", headers=headers, body=body
            ) as reply:
                status = reply.status
                return read_answer(gateway, status, reply.headers, await reply.read())
        except Unreachable:
            raise
        except Invalid:
            if not status:
                raise
            return Receipt(Outcome.UNCERTAIN, Reason.ANSWER_LOST, "the gateway's answer is too large", status)

    def _sign_in(self) -> dict[str, str]:
        settings = self._settings
        match self._gateway.auth:
            case "basic":
                pair = f"{settings.username}:{settings.password}".encode()
                return {"Authorization": "Basic " + base64.b64encode(pair).decode()}
            case "bearer":
                return {"Authorization": f"Bearer {settings.token}"}
        return {}

    def _values_of_account(self) -> dict[str, str]:
        settings = self._settings
        account = {"username": settings.username, "password": settings.password, "token": settings.token}
        return {**account, **settings.values}

    def _values(self, outgoing: Outgoing) -> dict[str, str]:
        callback = f"{self._callback}?{REFERENCE}={outgoing.iid}" if self.reports else ""
        message = {
            "to": outgoing.address.lstrip("+"),
            "plus_to": f"+{outgoing.address.lstrip('+')}",
            "from": outgoing.sender,
            "reference": outgoing.iid,
            "callback": callback,
            **(_card(outgoing.payload) if self._medium == Medium.VIBER else _text(outgoing.payload)),
        }
        return {**self._values_of_account(), **message}


def _text(payload: bytes) -> dict[str, str]:
    return {
        "text": payload.decode(),
        **dict.fromkeys(("image", "button", "link", "sms_from", "sms_text"), ""),
    }


def _card(payload: bytes) -> dict[str, str]:
    """A Viber message; its SMS, for whom Viber does not reach, only where it is wanted."""
    card: dict[str, Any] = msgspec.json.decode(payload)
    text = str(card.get("text", ""))
    fallback = bool(card.get("smsFallback"))
    return {
        "text": text,
        "image": str(card.get("img", "")),
        "button": str(card.get("caption", "")),
        "link": str(card.get("action", "")),
        "sms_from": str(card.get("smsSender", "")) if fallback else "",
        "sms_text": str(card.get("smsContent", "") or text) if fallback else "",
    }
