"""Mobile push as a channel: devices are looked up in sets, each message is a request of its own on a shared HTTP/2
connection to its service."""

from __future__ import annotations

import ssl
import time
from collections.abc import Collection, Mapping
from typing import Annotated, Final

import httpx2
import msgspec
import structlog
from msgspec import Meta

from perigee.db.pool import Connection, Database
from perigee.delivery.channel import LEASE_LOST, STALE, Medium, Outcome, Outgoing, Reason, Receipt
from perigee.delivery.channels.mobilepush import apns, card, fcm
from perigee.delivery.lookup_channel import UNCERTAIN, LookupChannel
from perigee.errors import Invalid
from perigee.lib.tokens import InvalidToken
from perigee.push import devices
from perigee.push.credentials import Apns, Fcm, Opened
from perigee.push.devices import Device

log = structlog.get_logger()

TRIES: Final = 2
"""Of a message whose answer was lost: the second has the same id and takes the place of the first."""
TIMEOUT: Final = httpx2.Timeout(10.0, connect=10.0, pool=30.0)
"""Seconds; services want 10 before a request is called lost (protocols 2.9)."""
VERIFY: ssl.SSLContext | bool = True
"""Whose certificates are believed: those of the public authorities."""

UNREACHABLE: Final = Receipt(
    Outcome.DEFERRED, Reason.PROVIDER_UNREACHABLE, "the push service cannot be reached", counted=False
)
NOBODY: Final = Receipt(
    Outcome.FAILED, Reason.ADDRESS_NOT_SUPPORTED, "the token's application has no keys of a push service"
)
NO_SERVICE: Final = Receipt(
    Outcome.FAILED,
    Reason.ADDRESS_NOT_SUPPORTED,
    "the token's application has no keys of this token's service",
)
SEALED: Final = Receipt(
    Outcome.DEFERRED,
    Reason.SENDER_SETUP,
    "the application's keys were sealed with another secret",
    counted=False,
)
TOO_LARGE: Final = Receipt(
    Outcome.FAILED, Reason.TOO_LARGE, f"is larger than {card.LARGEST} bytes", counted=False
)


class MobilePushSettings(msgspec.Struct, frozen=True):
    """From the installation's settings."""

    connections: Annotated[int, Meta(ge=1, le=500)] = 100
    """Messages on their way at once."""


class MobilePushChannel(LookupChannel[Device]):
    medium = Medium.MOBILE_PUSH
    reports = True  # the app does (contract 22.6)
    Settings = MobilePushSettings

    def __init__(self, settings: MobilePushSettings, *, database: Database, sealing: bytes) -> None:
        """`sealing`: `Keys.sealing`, which opens the applications' keys."""
        super().__init__(database, settings.connections)
        self._client: httpx2.AsyncClient | None = None
        self._opened = Opened(sealing)
        self._logins: dict[Fcm, fcm.Login] = {}
        self._tokens: dict[tuple[str, str, str], apns.ProviderToken] = {}

    async def close(self) -> None:
        await super().close()
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def look_up(
        self, connection: Connection, org_id: int, tokens: Collection[str]
    ) -> Mapping[str, Device]:
        return await devices.find(connection, org_id, "mobilepush", tokens)

    async def deliver(self, outgoing: Outgoing, device: Device | None) -> Receipt:
        if device is None:
            return NOBODY
        try:
            credentials = self._opened.of(outgoing.org_id, device.app_id, device.credentials)
        except InvalidToken:
            return SEALED
        try:
            if credentials.apns is not None and apns.is_token(outgoing.address):
                return await self._by_apns(outgoing, device, credentials.apns)
            if credentials.fcm is not None and not apns.is_token(outgoing.address):
                return await self._by_fcm(outgoing, credentials.fcm)
        except (msgspec.MsgspecError, ValueError) as error:
            return Receipt(Outcome.FAILED, Reason.BAD_MESSAGE, str(error)[:500], counted=False)
        return NO_SERVICE

    async def _by_fcm(self, outgoing: Outgoing, credentials: Fcm) -> Receipt:
        body = fcm.message(card.read(outgoing.payload), outgoing.address, outgoing.iid)
        if fcm.size(body) > card.LARGEST:
            return TOO_LARGE
        login = self._logins.get(credentials)
        if login is None:
            try:
                login = fcm.Login(credentials, self._post, fcm.LOGIN)
            except Invalid as error:
                return Receipt(Outcome.DEFERRED, Reason.SENDER_SETUP, error.message[:500], counted=False)
            self._logins[credentials] = login
        try:
            token = await login.token()
        except fcm.LoginRefused as error:
            reason = Reason.PROVIDER_LOGIN if error.permanent else Reason.PROVIDER_UNREACHABLE
            return Receipt(Outcome.DEFERRED, reason, str(error)[:500], counted=False)
        except httpx2.TransportError:
            return UNREACHABLE
        url = f"{fcm.API}/v1/projects/{credentials.project_id}/messages:send"
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        answer = await self._try(outgoing, url, headers, msgspec.json.encode(body))
        if isinstance(answer, Receipt):
            return answer
        if answer.status_code == 401:
            login.forget()
        return fcm.receipt(answer.status_code, answer.content[:65_536], answer.headers.get("retry-after"))

    async def _by_apns(self, outgoing: Outgoing, device: Device, credentials: Apns) -> Receipt:
        shown = card.read(outgoing.payload)
        body = apns.body(shown, outgoing.iid)
        if len(body) > card.LARGEST:
            return TOO_LARGE
        key = (credentials.team_id, credentials.key_id, credentials.key)
        token = self._tokens.get(key)
        if token is None:
            try:
                token = self._tokens[key] = apns.ProviderToken(credentials)
            except Invalid as error:
                return Receipt(Outcome.DEFERRED, Reason.SENDER_SETUP, error.message[:500], counted=False)
        headers = apns.headers(shown, outgoing.iid, credentials.topic, token.value(), time.time())
        url = f"{apns.HOSTS[credentials.environment]}/3/device/{outgoing.address}"
        answer = await self._try(outgoing, url, headers, body)
        if isinstance(answer, Receipt):
            return answer
        return apns.receipt(
            answer.status_code,
            answer.content[:65_536],
            answer.headers.get("retry-after"),
            device.registered_at,
        )

    async def _try(
        self, outgoing: Outgoing, url: str, headers: dict[str, str], body: bytes
    ) -> httpx2.Response | Receipt:
        """The service's answer, or the receipt of a message that got none. A request on a stream that the service
        said it had not begun (GOAWAY) is sent anew by the client itself."""
        for number in range(TRIES):
            if outgoing.allow_send is not None and not outgoing.allow_send():
                return UNCERTAIN if number else LEASE_LOST
            if not number and time.monotonic() > outgoing.fresh_until:
                return STALE
            try:
                return await self._http().post(url, headers=headers, content=body)
            except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout):
                return UNCERTAIN if number else UNREACHABLE  # the first may have arrived
            except httpx2.TransportError:
                continue
        return UNCERTAIN

    async def _post(self, url: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        answer = await self._http().post(url, headers=headers, content=body)
        return answer.status_code, answer.content[:65_536]

    def _http(self) -> httpx2.AsyncClient:
        if self._client is None:
            self._client = httpx2.AsyncClient(
                http2=True,
                verify=VERIFY,
                trust_env=False,
                follow_redirects=False,
                timeout=TIMEOUT,
            )
        return self._client
