"""The one small protocol behind which every channel stands, and the words all of them use.

A channel takes messages that are rendered to the last byte, hands them to a provider and answers with one
`Receipt` for each. It knows no campaign, no database and no retry: those live in the sender, once for all.

Three questions are kept apart, because providers mix them:

- *what happened* (`Outcome`) decides whether the message is over, waits, or is uncertain;
- *why* (`Reason`) is what people read and count;
- *what follows for others* (`Advice`, read from the reason) is what the sender does beyond this message.

Adding a channel: a folder under `channels/` with its settings form (a msgspec Struct), its code and its tests,
and one line in `channels/__init__.py`. Subclass `StreamChannel` when messages go out one by one over
connections that stay open, `SetChannel` when one call carries many.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final

import msgspec

from perigee.errors import PerigeeError


class Medium(StrEnum):
    """What a person receives; the wire's `mediaType` (contract 8.4)."""

    EMAIL = "email"
    SMS = "sms"
    VIBER = "viber"
    MOBILE_PUSH = "mobilepush"
    WEB_PUSH = "webpush"
    APP_INBOX = "appinbox"
    WIDGET = "widget"
    IN_APP = "inapp"
    TELEGRAM = "telegrambot"
    WEBHOOK = "webhook"


class Outcome(StrEnum):
    """Where a message stands when the channel lets go of it."""

    SENT = "sent"  # the provider took responsibility
    FAILED = "failed"  # refused for good
    DEFERRED = "deferred"  # not sent; may be tried again
    UNCERTAIN = "uncertain"  # handed over completely, answer never read


class Reason(StrEnum):
    """Why a message was not sent: one list for all channels and for events that come in later."""

    # the recipient
    NO_SUCH_RECIPIENT = "no_such_recipient"  # mailbox, number or token does not exist (any more)
    BAD_ADDRESS = "bad_address"  # malformed
    DOMAIN_GONE = "domain_gone"  # no such domain, null MX, host takes no mail
    INACTIVE = "inactive"  # exists but is switched off
    MAILBOX_FULL = "mailbox_full"
    MAILBOX_LIMIT = "mailbox_limit"  # this mailbox takes no message like this one
    RECIPIENT_BUSY = "recipient_busy"  # this person gets messages too fast
    GREYLISTED = "greylisted"
    ADDRESS_NOT_SUPPORTED = "address_not_supported"  # valid, but this provider cannot carry it
    # the place it goes to
    DESTINATION_BUSY = "destination_busy"
    DESTINATION_UNREACHABLE = "destination_unreachable"
    DESTINATION_REFUSED = "destination_refused"
    QUOTA = "quota"  # we send to this place too fast
    EXPIRED = "expired"  # tried until the message was too old
    # the sender
    SENDER_SETUP = "sender_setup"  # SPF, DKIM, DMARC, PTR, TLS, push key
    SENDER_REFUSED = "sender_refused"  # this From may not be used here
    BLOCKED = "blocked"  # reputation or policy
    SPAM_CONTENT = "spam_content"
    # the message
    TOO_LARGE = "too_large"
    BAD_MESSAGE = "bad_message"  # our bytes or our code
    # the provider, before any recipient was named
    PROVIDER_UNREACHABLE = "provider_unreachable"
    PROVIDER_TLS = "provider_tls"
    PROVIDER_LOGIN = "provider_login"
    PROVIDER_REFUSED = "provider_refused"
    PROVIDER_PROTOCOL = "provider_protocol"
    PROVIDER_GONE = "provider_gone"  # it wants nothing more from us
    PROVIDER_QUOTA = "provider_quota"
    # the way there
    CONNECTION_LOST = "connection_lost"  # before the message was handed over
    ANSWER_LOST = "answer_lost"  # after it was handed over: only with UNCERTAIN
    # ourselves
    LEASE_LOST = "lease_lost"  # the sender's right to send ran out
    STALE = "stale"  # waited too long since the last look at suppression
    CLOSING = "closing"
    UNCLASSIFIED = "unclassified"


class Advice(StrEnum):
    """What the sender does beyond this one message."""

    NOTHING = "nothing"
    SUPPRESS = "suppress"  # the address is dead
    SUPPRESS_IF_REPEATED = "suppress_if_repeated"  # the second time, at least 24 h later
    BLOCK_FOR_DAYS = "block_for_days"  # 1, 2, 3, then 90 days
    DELAY_RECIPIENT = "delay_recipient"  # this person only
    SLOW_DESTINATION = "slow_destination"  # penalise this destination
    STOP_QUOTA = "stop_quota"  # stop the named quota 10 min, come back with one connection
    PAUSE_SENDER = "pause_sender"  # stop this sender's domain and alarm; never touch the recipient
    BREAKER = "breaker"  # count: stop when > 5 % of the last 200 at one operator
    STOP_MESSAGE = "stop_message"  # stop the campaign and alarm: our message or our code
    STOP_SEND = "stop_send"  # pause the send at once: its provider is switched off for good
    PAUSE_PROVIDER = "pause_provider"  # nothing more through this provider until `retry_after`


_ADVICE: dict[Reason, Advice] = {
    Reason.NO_SUCH_RECIPIENT: Advice.SUPPRESS,
    Reason.BAD_ADDRESS: Advice.SUPPRESS,
    Reason.DOMAIN_GONE: Advice.SUPPRESS,
    Reason.INACTIVE: Advice.SUPPRESS,
    Reason.MAILBOX_FULL: Advice.BLOCK_FOR_DAYS,
    Reason.RECIPIENT_BUSY: Advice.DELAY_RECIPIENT,
    Reason.GREYLISTED: Advice.DELAY_RECIPIENT,
    Reason.DESTINATION_BUSY: Advice.SLOW_DESTINATION,
    Reason.DESTINATION_UNREACHABLE: Advice.SUPPRESS_IF_REPEATED,
    Reason.DESTINATION_REFUSED: Advice.BREAKER,
    Reason.QUOTA: Advice.STOP_QUOTA,
    Reason.SENDER_SETUP: Advice.PAUSE_SENDER,
    Reason.SENDER_REFUSED: Advice.PAUSE_SENDER,
    Reason.BLOCKED: Advice.BREAKER,
    Reason.SPAM_CONTENT: Advice.BREAKER,
    Reason.TOO_LARGE: Advice.STOP_MESSAGE,
    Reason.BAD_MESSAGE: Advice.STOP_MESSAGE,
    Reason.PROVIDER_UNREACHABLE: Advice.PAUSE_PROVIDER,
    Reason.PROVIDER_TLS: Advice.PAUSE_PROVIDER,
    Reason.PROVIDER_LOGIN: Advice.PAUSE_PROVIDER,
    Reason.PROVIDER_REFUSED: Advice.PAUSE_PROVIDER,
    Reason.PROVIDER_PROTOCOL: Advice.PAUSE_PROVIDER,
    Reason.PROVIDER_GONE: Advice.STOP_SEND,
    Reason.PROVIDER_QUOTA: Advice.PAUSE_PROVIDER,
    Reason.CONNECTION_LOST: Advice.SLOW_DESTINATION,
    Reason.UNCLASSIFIED: Advice.SUPPRESS_IF_REPEATED,
}
_ONLY_WHEN_FAILED = frozenset({Advice.SUPPRESS, Advice.SUPPRESS_IF_REPEATED})


class Outgoing(msgspec.Struct, frozen=True):
    """One message for one address, rendered. The channel changes nothing in it.

    `send_id` and `ordinal` name it in the ledger; `iid` is its fixed id (Message-ID, apns-id, …).
    `payload` is what the channel transports: RFC 5322 bytes, the SMS text, the push body.
    `sender` is the envelope sender of an email ('' is the null sender), the originator of an SMS.
    `allow_send` is asked right before the message is handed over for good; False gives it back untouched.
    `fresh_until` is the `time.monotonic()` moment after which it must not be begun (suppression was looked up
    too long ago). `single`: a message of its own, by call or as a test, which waits behind no campaign.
    """

    org_id: int
    send_id: int
    ordinal: int
    contact_id: int
    address: str
    iid: str
    sender: str
    payload: bytes
    allow_send: Callable[[], bool] | None = None
    fresh_until: float = float("inf")
    single: bool = False


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """What became of one `Outgoing`.

    `counted` is False when the attempt must not be held against the recipient. `code` is the provider's number
    (SMTP reply, HTTP status, SMPP status), 0 when there was none; `text` the provider's words, at most 500
    characters, without control characters. They are hostile input all the same. `retry_after` is in seconds.
    `provider_id` is the provider's id of the message, by which its reports name it; a long SMS has `more_ids`.
    """

    outcome: Outcome
    reason: Reason | None = None
    text: str = ""
    code: int = 0
    enhanced: str = ""
    provider_id: str | None = None
    counted: bool = True
    retry_after: float | None = None
    more_ids: tuple[str, ...] = ()

    @property
    def provider_ids(self) -> tuple[str, ...]:
        """The provider's ids of the message, one per part."""
        return (self.provider_id, *self.more_ids) if self.provider_id else ()

    @property
    def advice(self) -> Advice:
        """What to do beyond this message. A message that only waits never costs anybody the address."""
        if self.reason is None:
            return Advice.NOTHING
        advice = _ADVICE.get(self.reason, Advice.NOTHING)
        if advice in _ONLY_WHEN_FAILED and self.outcome is not Outcome.FAILED:
            return Advice.NOTHING
        return advice


STALE: Final = Receipt(Outcome.DEFERRED, Reason.STALE, "waited too long to be begun", counted=False)
LEASE_LOST: Final = Receipt(Outcome.DEFERRED, Reason.LEASE_LOST, "the right to send ran out", counted=False)


class EventType(StrEnum):
    """What providers and recipients report after the receipt."""

    ACCEPTED = "accepted"  # the provider has it: proves what became of an uncertain message, else no news
    DELIVERED = "delivered"
    DELAYED = "delayed"
    BOUNCED = "bounced"
    READ = "read"
    CLICKED = "clicked"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    REPLIED = "replied"


class DeliveryEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One report of a provider about one earlier message, in our words; `provider_event_id` makes it idempotent."""

    type: EventType
    at: datetime
    iid: str | None
    provider_id: str | None
    address: str | None
    reason: Reason | None = None
    text: str = ""
    provider_event_id: str | None = None


class ProviderRequest(msgspec.Struct, frozen=True):
    """A provider's call to us, as it came in: header names in lower case, body unparsed and size-capped."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class DeliveryError(PerigeeError):
    """The provider as a whole cannot be used; no recipient is to blame.

    `permanent` means that trying again without a change of settings is pointless.
    """

    code = "delivery_failed"

    def __init__(
        self,
        message: str,
        permanent: bool,
        *,
        reason: Reason = Reason.PROVIDER_UNREACHABLE,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.reason = reason
        self.retry_after = retry_after

    def receipt(self, retry_after: float | None = None) -> Receipt:
        """For each message that was waiting for the provider: not sent, nobody's fault."""
        return Receipt(
            Outcome.DEFERRED,
            self.reason,
            self.message[:500],
            counted=False,
            retry_after=self.retry_after if retry_after is None else retry_after,
        )


class Channel(ABC):
    """A way to a provider with one set of settings, owned by one process and one event loop."""

    medium: ClassVar[Medium]
    Settings: ClassVar[type[msgspec.Struct]]
    media: ClassVar[frozenset[Medium]] = frozenset()
    """Of a channel that carries one of several, chosen per provider; else `medium` says it."""
    places: ClassVar[frozenset[str]] = frozenset({"host", "url"})
    """Members of the settings that say where secrets are sent to."""
    reports: bool = False
    """Whether the provider, set up as it is, reports deliveries. If so, a message that it took counts as sent until it
    does; else as delivered."""

    @classmethod
    def carries(cls) -> frozenset[Medium]:
        return cls.media or frozenset({cls.medium})

    @abstractmethod
    def submit(self, outgoing: Outgoing) -> asyncio.Future[Receipt]:
        """Take one message. The future always ends in a receipt, trouble of the provider included; it never
        raises, and it must not be cancelled (nothing can be recalled)."""

    @abstractmethod
    async def send(self, batch: Sequence[Outgoing]) -> list[Receipt]:
        """Take a set; receipts in its order. Raises `DeliveryError` only when nothing of the set was sent."""

    async def check(self) -> None:
        """Try the settings without sending anything; `DeliveryError` says what is wrong."""
        return

    def stand(self) -> None:
        """Connect now and stay so until `close`, messages or not: for what the provider sends by itself. Only of
        kinds in `channels.STANDING`."""
        return

    def read_events(self, request: ProviderRequest) -> list[DeliveryEvent]:
        """Read a provider's call. Raises `Unauthorized` for a wrong signature, `Invalid` for a wrong body."""
        return []

    @abstractmethod
    async def close(self) -> None:
        """Finish what is in flight, give back what waits. Every submitted message has its receipt afterwards."""


class StreamChannel(Channel):
    """Messages go one by one over open connections; `submit` is the natural form."""

    async def send(self, batch: Sequence[Outgoing]) -> list[Receipt]:
        return await asyncio.gather(*[self.submit(outgoing) for outgoing in batch])


class SetChannel(Channel):
    """One call carries many messages; `submit` gathers what is submitted in the same turn of the loop, and while a
    call is under way where there shall be only one."""

    set_size: ClassVar[int] = 500
    one_at_a_time: ClassVar[bool] = False

    def __init__(self) -> None:
        self._gathered: list[tuple[Outgoing, asyncio.Future[Receipt]]] = []
        self._running: set[asyncio.Task[None]] = set()

    def submit(self, outgoing: Outgoing) -> asyncio.Future[Receipt]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Receipt] = loop.create_future()
        if not self._gathered:
            loop.call_soon(self._launch)
        self._gathered.append((outgoing, future))
        return future

    def _launch(self) -> None:
        if self.one_at_a_time and self._running:
            return  # goes with the end of the call that is under way
        gathered, self._gathered = self._gathered, []
        for start in range(0, len(gathered), self.set_size):
            task = asyncio.create_task(self._deliver(gathered[start : start + self.set_size]))
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if self._gathered and self.one_at_a_time:
            self._launch()

    async def _deliver(self, part: list[tuple[Outgoing, asyncio.Future[Receipt]]]) -> None:
        try:
            receipts = await self.send([outgoing for outgoing, _ in part])
            if len(receipts) != len(part):
                raise RuntimeError(
                    f"{type(self).__name__}.send gave {len(receipts)} receipts for {len(part)} messages"
                )
        except DeliveryError as error:
            receipts = [error.receipt()] * len(part)
        except BaseException as error:
            # Unknown how far the call came: to call these unsent could send them twice.
            receipts = [Receipt(Outcome.UNCERTAIN, Reason.ANSWER_LOST, type(error).__name__)] * len(part)
            _settle(part, receipts)
            raise
        _settle(part, receipts)

    async def close(self) -> None:
        while self._gathered or self._running:
            if self._running:
                await asyncio.wait(self._running)
            else:
                await asyncio.sleep(0)


def _settle(part: list[tuple[Outgoing, asyncio.Future[Receipt]]], receipts: list[Receipt]) -> None:
    for (_, future), receipt in zip(part, receipts, strict=True):
        if not future.done():
            future.set_result(receipt)
