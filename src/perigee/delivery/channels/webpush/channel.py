"""Web push as a channel: subscriptions are looked up in sets, each message is a POST of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from ipaddress import ip_address
from typing import Annotated, Any, Final

import msgspec
import structlog
from msgspec import Meta
from psycopg import errors as pg
from yarl import URL

from perigee.db.pool import Database
from perigee.delivery.channel import Medium, Outcome, Outgoing, Reason, Receipt, StreamChannel
from perigee.delivery.channels.webpush import notification, replies, subscriptions
from perigee.delivery.channels.webpush.encryption import LARGEST, encrypt
from perigee.delivery.channels.webpush.notification import Notification
from perigee.delivery.channels.webpush.signing import Signer
from perigee.delivery.channels.webpush.subscriptions import Subscribed
from perigee.errors import Invalid
from perigee.lib.outside import Limits, NoAnswer, Outside, Rules, Unreachable
from perigee.lib.public_addresses import is_public
from perigee.lib.tokens import InvalidToken
from perigee.push import vapid

log = structlog.get_logger()

SET_SIZE: Final = 500
TRIES: Final = 2
"""Of a message whose answer was lost: the second has the same topic and takes the place of the first."""
KEEP_SIGNERS: Final = 1000
LIMITS: Final = Limits(size=65_536, total=15.0, idle=10.0)
"""Services want 10 s before a request is called lost (protocols 2.9); both tries stay within a lease."""

STALE: Final = Receipt(Outcome.DEFERRED, Reason.STALE, "waited too long to be begun", counted=False)
LEASE_LOST: Final = Receipt(Outcome.DEFERRED, Reason.LEASE_LOST, "the right to send ran out", counted=False)
AWAY: Final = Receipt(Outcome.DEFERRED, Reason.CONNECTION_LOST, "the database was away", counted=False)
UNCERTAIN: Final = Receipt(Outcome.UNCERTAIN, Reason.ANSWER_LOST, "the push service gave no answer")
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


class WebPushChannel(StreamChannel):
    medium = Medium.WEB_PUSH
    Settings = WebPushSettings

    def __init__(self, settings: WebPushSettings, *, database: Database, sealing: bytes) -> None:
        """`sealing`: `Keys.sealing`, which opens the VAPID keys."""
        self._database = database
        self._sealing = sealing
        self._rules = Rules.of(settings.networks, settings.ports)
        self._room = asyncio.Semaphore(settings.connections)
        self._outside: Outside | None = None
        self._signers: dict[tuple[int, int, str], Signer] = {}
        self._waiting: list[tuple[Outgoing, asyncio.Future[Receipt]]] = []
        self._loading = False
        self._running: set[asyncio.Task[None]] = set()

    def submit(self, outgoing: Outgoing) -> asyncio.Future[Receipt]:
        future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._waiting.append((outgoing, future))
        if not self._loading:
            self._loading = True
            self._start(self._load())
        return future

    async def close(self) -> None:
        while self._running:
            await asyncio.wait(self._running)
        if self._outside is not None:
            await self._outside.__aexit__()
            self._outside = None

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _load(self) -> None:
        """Looks up whatever came in since the last look, until nothing has."""
        if self._outside is None:
            self._outside = await Outside(self._rules).__aenter__()
        while self._waiting:
            part, self._waiting = self._waiting[:SET_SIZE], self._waiting[SET_SIZE:]
            found = await self._find([outgoing for outgoing, _ in part])
            for outgoing, future in part:
                if found is None:
                    future.set_result(AWAY)
                else:
                    subscribed = found.get((outgoing.org_id, outgoing.address))
                    self._start(self._deliver(outgoing, subscribed, future))
        self._loading = False

    async def _find(self, part: Sequence[Outgoing]) -> dict[tuple[int, str], Subscribed] | None:
        """By organisation and token. None: nobody can be looked up now, and nothing was sent."""
        tokens: dict[int, set[str]] = {}
        for outgoing in part:
            tokens.setdefault(outgoing.org_id, set()).add(outgoing.address)
        found: dict[tuple[int, str], Subscribed] = {}
        try:
            async with self._database.connection() as connection:
                for org_id, these in tokens.items():  # in practice one: a channel belongs to an organisation
                    rows = await subscriptions.find(connection, org_id, these)
                    found.update({(org_id, token): one for token, one in rows.items()})
        except pg.OperationalError as error:
            log.warning("web push waits for the database", error=str(error).split("\n")[0])
            return None
        except Exception:
            log.exception("subscriptions cannot be looked up")
            return None
        return found

    async def _deliver(
        self, outgoing: Outgoing, subscribed: Subscribed | None, future: asyncio.Future[Receipt]
    ) -> None:
        receipt = UNCERTAIN
        try:
            async with self._room:
                receipt = await self._send(outgoing, subscribed)
        except Exception:
            log.exception("web push failed", send_id=outgoing.send_id, ordinal=outgoing.ordinal)
        finally:
            future.set_result(receipt)

    async def _send(self, outgoing: Outgoing, subscribed: Subscribed | None) -> Receipt:
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
