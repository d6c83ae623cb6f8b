"""Apple Push Notification service: the request, and what its answers mean (protocols 2.10). Pure."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from perigee.delivery.channel import Outcome, Reason, Receipt
from perigee.delivery.channels.mobilepush.card import Card
from perigee.delivery.channels.webpush.replies import seconds
from perigee.lib.jwt import es256
from perigee.push.credentials import Apns, apns_key

HOSTS: Final = {
    "production": "https://api.push.apple.com",
    "development": "https://api.sandbox.push.apple.com",
}
RENEW: Final = 40 * 60.0
"""Seconds that a provider token is used: Apple wants a new one every 20 to 60 minutes and no oftener."""

_APPLE: Final = re.compile(r"[0-9a-fA-F]{64,200}\Z")
_TOKENS: Final = frozenset(
    {"ExpiredProviderToken", "InvalidProviderToken", "MissingProviderToken", "BadCertificate", "Forbidden"}
)


class ProviderToken:
    """Of one team and key; shared by all applications of the process that use the key."""

    def __init__(self, credentials: Apns, clock: Callable[[], float] = time.time) -> None:
        self._credentials = credentials
        self._key = apns_key(credentials)
        self._clock = clock
        self._made: tuple[float, str] | None = None

    def value(self) -> str:
        now = self._clock()
        if self._made is None or not 0 <= now - self._made[0] < RENEW:
            # Whole steps of time: processes that share a key make tokens of the same time of issue.
            issued = int(now // RENEW * RENEW)
            claims = {"iss": self._credentials.team_id, "iat": issued}
            self._made = (float(issued), es256(self._key, claims, kid=self._credentials.key_id))
        return self._made[1]


def body(card: Card, iid: str) -> bytes:
    """Raises ValueError for a name in `customData` that the service keeps for itself."""
    data = card.data(iid)
    if "aps" in data:
        raise ValueError("customData: aps is a name that Apple keeps for itself")
    shown = {"title": card.title, "subtitle": card.subtitle, "body": card.text}
    aps: dict[str, Any] = {
        "alert": {name: value for name, value in shown.items() if value},
        "mutable-content": 1,
    }
    if card.sound_enabled is not False:
        aps["sound"] = "default"
    if card.badge_count is not None:
        aps["badge"] = card.badge_count
    return msgspec.json.encode({"aps": aps, **data})


def headers(card: Card, iid: str, topic: str, token: str, now: float) -> dict[str, str]:
    return {
        "authorization": f"bearer {token}",
        "apns-id": iid,
        "apns-topic": topic,
        "apns-push-type": "alert",
        "apns-priority": "10",
        "apns-expiration": str(int(now) + card.ttl),
        "apns-collapse-id": iid,
    }


def receipt(status: int, answer: bytes, retry_after: str | None, registered_at: datetime) -> Receipt:
    """`registered_at`: when the device last came with this token: a 410 from before that is out of date.

    A token of another application is kept: were it dropped, a wrong bundle id would cost the whole audience.
    """
    if status == 200:
        return Receipt(Outcome.SENT, code=status)
    reason, gone_at = _error(answer)
    wait = seconds(retry_after)
    if status == 410:
        if gone_at is not None and registered_at > gone_at:
            return Receipt(
                Outcome.DEFERRED, Reason.RECIPIENT_BUSY, reason, status, counted=False, retry_after=60.0
            )
        return Receipt(Outcome.FAILED, Reason.NO_SUCH_RECIPIENT, reason, status)
    if status == 400 and reason == "BadDeviceToken":
        return Receipt(Outcome.FAILED, Reason.BAD_ADDRESS, reason, status)
    if status == 400 and reason == "DeviceTokenNotForTopic":
        return Receipt(Outcome.FAILED, Reason.ADDRESS_NOT_SUPPORTED, reason, status)
    if status in (401, 403) or reason in _TOKENS:
        return Receipt(Outcome.DEFERRED, Reason.SENDER_SETUP, reason, status, counted=False)
    if status == 429:
        ours = reason == "TooManyProviderTokenUpdates"
        return Receipt(
            Outcome.DEFERRED,
            Reason.PROVIDER_QUOTA if ours else Reason.RECIPIENT_BUSY,
            reason,
            status,
            counted=not ours,
            retry_after=wait,
        )
    if status >= 500:
        return Receipt(Outcome.DEFERRED, Reason.DESTINATION_BUSY, reason, status, retry_after=wait)
    if status == 413:
        return Receipt(Outcome.FAILED, Reason.TOO_LARGE, reason, status, counted=False)
    return Receipt(Outcome.FAILED, Reason.BAD_MESSAGE, reason, status, counted=False)


def _error(answer: bytes) -> tuple[str, datetime | None]:
    try:
        found = msgspec.json.decode(answer)
        reason = "".join(sign for sign in str(found["reason"])[:200] if sign.isprintable())
        gone = found.get("timestamp")
        moment = datetime.fromtimestamp(gone / 1000, UTC) if isinstance(gone, int | float) else None
    except (
        msgspec.DecodeError,
        RecursionError,
        KeyError,
        TypeError,
        AttributeError,
        ValueError,
        OverflowError,
        OSError,
    ):
        return "", None
    return reason, moment


def is_token(token: str) -> bool:
    """Tokens of APNs are hexadecimal, those of FCM never are; an iPhone that registered with Firebase has one of FCM."""
    return _APPLE.match(token) is not None
