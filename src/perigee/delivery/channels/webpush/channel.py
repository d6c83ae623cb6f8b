"""Web push as a channel: subscriptions are looked up in sets, each message is a POST of its own."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from ipaddress import ip_address
from typing import Annotated, Final

import msgspec
import structlog
from msgspec import Meta
from yarl import URL

from perigee.db.pool import Connection, Database
from perigee.delivery.channel import LEASE_LOST, STALE, Medium, Outcome, Outgoing, Reason, Receipt
from perigee.delivery.channels.webpush import notification, replies, subscriptions
from perigee.delivery.channels.webpush.encryption import LARGEST, encrypt
from perigee.delivery.channels.webpush.notification import Notification
from perigee.delivery.channels.webpush.signing import Signer
from perigee.delivery.channels.webpush.subscriptions import Subscribed
from perigee.delivery.lookup_channel import UNCERTAIN, LookupChannel
from perigee.errors import Invalid
from perigee.lib.outside import Limits, NoAnswer, Outside, Rules, Unreachable
from perigee.lib.public_addresses import is_public
from perigee.lib.tokens import InvalidToken
from perigee.push import vapid

log = structlog.get_logger()

TRIES: Final = 2
"""Of a message whose answer was lost: the second has the same topic and takes the place of the first."""
KEEP_SIGNERS: Final = 1000
LIMITS: Final = Limits(size=65_536, total=15.0, idle=10.0)
"""Services want 10 s before a request is called lost (protocols 2.9); both tries stay within a lease."""

NOBODY: Final = Receipt(
    Outcome.FAILED, Reason.ADDRESS_NOT_SUPPORTED, "this token has no subscription of a browser"
)
NO_KEY: Final = Receipt(Outcome.FAILED, Reason.ADDRESS_NOT_SUPPORTED, "the browser's key cannot be used")
SEALED: Final = Receipt(
    Outcome.DEFERRED, Reason.SENDER_SETUP, "the site's VAPID key was sealed with another secret"
)
TOO_LARGE: Final = Receipt(Outcome.FAILED, Reason.TOO_LARGE, f"is larger than {LARGEST} bytes")
UNREACHABLE: Final = Receipt(
    Outcome.DEFERRED, Reason.DESTINATION_UNREACHABLE, "the push service cannot be reached"
)
NOT_ALLOWED: Final = Receipt(
    Outcome.FAILED, Reason.DESTINATION_REFUSED, "the endpoint leads to where no connection may go"
)
INSECURE: Final = Receipt(Outcome.FAILED, Reason.DESTINATION_REFUSED, "the endpoint is not https")


class WebPushSettings(msgspec.Struct, frozen=True):
    """From the installation's settings: where connections may lead is the operator's to say (`lib.outside.Rules`)."""

    connections: Annotated[int, Meta(ge=1, le=100)] = 64
    """Messages on their way at once."""
    networks: str = ""
    ports: str = "443"


class WebPushChannel(LookupChannel[Subscribed]):
    medium = Medium.WEB_PUSH
    Settings = WebPushSettings

    def __init__(self, settings: WebPushSettings, *, database: Database, sealing: bytes) -> None:
        """`sealing`: `Keys.sealing`, which opens the VAPID keys."""
        self._sealing = sealing
        self._rules = Rules.of(settings.networks, settings.ports)
        super().__init__(database, settings.connections)
        self._outside: Outside | None = None
        self._signers: dict[tuple[int, int, str], Signer] = {}

    async def close(self) -> None:
        await super().close()
        if self._outside is not None:
            await self._outside.__aexit__()
            self._outside = None

    async def look_up(
        self, connection: Connection, org_id: int, tokens: Collection[str]
    ) -> Mapping[str, Subscribed]:
        return await subscriptions.find(connection, org_id, tokens)

    async def deliver(self, outgoing: Outgoing, subscribed: Subscribed | None) -> Receipt:
        if self._outside is None:
            self._outside = await Outside(self._rules).__aenter__()
        if subscribed is None:
            return NOBODY
        if not self._is_secure(subscribed.endpoint):
            return INSECURE
        try:
            message = notification.read(outgoing.payload, outgoing.iid)
        except msgspec.MsgspecError as error:
            return Receipt(Outcome.FAILED, Reason.BAD_MESSAGE, str(error)[:500])
        if len(message.body) > LARGEST:
            return TOO_LARGE
        try:
            signer = self._signer(outgoing.org_id, subscribed)
        except InvalidToken:
            return SEALED
        return await self._try(outgoing, subscribed, message, signer)

    async def _try(
        self, outgoing: Outgoing, subscribed: Subscribed, message: Notification, signer: Signer
    ) -> Receipt:
        for number in range(TRIES):
            if outgoing.allow_send is not None and not outgoing.allow_send():
                return UNCERTAIN if number else LEASE_LOST
            if not number and time.monotonic() > outgoing.fresh_until:
                return STALE
            try:
                body = encrypt(message.body, subscribed.p256dh, subscribed.auth)
            except ValueError:
                return NO_KEY
            try:
                return await self._post(
                    subscribed.endpoint, body, _headers(message, signer, subscribed.endpoint)
                )
            except NoAnswer:
                continue
            except Unreachable:
                return UNCERTAIN if number else UNREACHABLE  # the first may have arrived
            except Invalid:
                return NOT_ALLOWED
        return UNCERTAIN

    async def _post(self, endpoint: str, body: bytes, headers: dict[str, str]) -> Receipt:
        """Raises what `Outside.request` raises, as long as there was no status."""
        assert self._outside is not None
        receipt: Receipt | None = None
        try:
            async with self._outside.request(
                "POST", endpoint, limits=LIMITS, field="endpoint", headers=headers, body=body
            ) as reply:
                retry_after = reply.headers.get("Retry-After")
                receipt = replies.receipt(reply.status, "", retry_after)
                words = await reply.read()  # a connection is kept only when its answer was read to the end
                return replies.receipt(reply.status, words[:2000].decode(errors="replace"), retry_after)
        except Invalid:
            if receipt is None:
                raise
            return receipt

    def _signer(self, org_id: int, subscribed: Subscribed) -> Signer:
        """Raises InvalidToken."""
        key = (org_id, subscribed.app_id, subscribed.vapid_public)
        signer = self._signers.get(key)
        if signer is None:
            private = vapid.unsealed(self._sealing, org_id, subscribed.app_id, subscribed.vapid_private)
            signer = Signer(private, subscribed.vapid_public, subscribed.domain)
            if len(self._signers) >= KEEP_SIGNERS:
                self._signers.clear()
            self._signers[key] = signer
        return signer

    def _is_secure(self, endpoint: str) -> bool:
        """Only a plain address in one of the operator's own networks may do without TLS."""
        url = URL(endpoint)
        if url.scheme == "https":
            return True
        try:
            host = str(ip_address(url.host or ""))
        except ValueError:
            return False
        return not is_public(host) and is_public(host, self._rules.networks)


def _headers(message: Notification, signer: Signer, endpoint: str) -> dict[str, str]:
    return {
        "Authorization": signer.authorization(str(URL(endpoint).origin())),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(message.ttl),
        "Urgency": message.urgency,
        "Topic": message.topic,
    }
