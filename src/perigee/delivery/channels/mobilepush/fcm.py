"""Firebase Cloud Messaging, HTTP v1: the request, and what its answers mean (protocols 2.9). Pure but for the token."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from perigee.delivery.channel import Outcome, Reason, Receipt
from perigee.delivery.channels.mobilepush.card import Card
from perigee.delivery.channels.webpush.replies import seconds
from perigee.lib.jwt import rs256
from perigee.push.credentials import Fcm, fcm_key

API: Final = "https://fcm.googleapis.com"
LOGIN: Final = "https://oauth2.googleapis.com/token"
SCOPE: Final = "https://www.googleapis.com/auth/firebase.messaging"
RENEW_BEFORE: Final = 300.0
"""Seconds before its end that an access token is not used any more."""
REST: Final = 60.0
"""Seconds after a 429 that names none."""

_RESERVED: Final = re.compile(r"from\Z|message_type\Z|gcm|google")
_FCM_ERROR: Final = "type.googleapis.com/google.firebase.fcm.v1.FcmError"


def message(card: Card, token: str, iid: str) -> dict[str, Any]:
    """The body. Raises ValueError for a name in `customData` that the service keeps for itself."""
    data = card.data(iid)
    for name in data:
        if _RESERVED.match(name):
            raise ValueError(f"customData: {name[:50]} is a name that Firebase keeps for itself")
    shown = {"title": card.title, "body": card.text, "image": card.image}
    android: dict[str, Any] = {"tag": iid}
    aps: dict[str, Any] = {"mutable-content": 1}
    if card.sound_enabled is not False:
        android["sound"] = aps["sound"] = "default"
    if card.badge_count is not None:
        android["notification_count"] = aps["badge"] = card.badge_count
    if card.subtitle:
        aps["alert"] = {"title": card.title, "subtitle": card.subtitle, "body": card.text}
    return {
        "message": {
            "token": token,
            "notification": {name: value for name, value in shown.items() if value},
            "data": {name: _text(value) for name, value in data.items()},
            "android": {"ttl": f"{card.ttl}s", "collapse_key": iid, "notification": android},
            "apns": {
                "headers": {
                    "apns-collapse-id": iid,
                    "apns-expiration": str(int(time.time()) + card.ttl),
                },
                "payload": {"aps": aps},
            },
        }
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def size(body: dict[str, Any]) -> int:
    """Bytes that count against the limit: what reaches the device."""
    inner = body["message"]
    return len(msgspec.json.encode(inner["notification"])) + len(msgspec.json.encode(inner["data"]))


def receipt(status: int, body: bytes, retry_after: str | None) -> Receipt:
    """400 means two things, and only the details tell them apart: a token, or our message (reliability 26).

    A token of another project is kept: were it dropped, a wrong service account would cost the whole audience.
    """
    if 200 <= status < 300:
        return Receipt(Outcome.SENT, code=status, provider_id=_name(body))
    text, code = _error(body)
    wait = seconds(retry_after)
    match status:
        case 404 if code in ("UNREGISTERED", ""):
            return Receipt(Outcome.FAILED, Reason.NO_SUCH_RECIPIENT, text, status, code)
        case 400 if code == "INVALID_ARGUMENT":
            return Receipt(Outcome.FAILED, Reason.UNCLASSIFIED, text, status, code)
        case 400 | 413:
            return Receipt(Outcome.FAILED, Reason.BAD_MESSAGE, text, status, code, counted=False)
        case 403 if code == "SENDER_ID_MISMATCH":
            return Receipt(Outcome.FAILED, Reason.ADDRESS_NOT_SUPPORTED, text, status, code)
        case 401 | 403:
            return Receipt(Outcome.DEFERRED, Reason.SENDER_SETUP, text, status, code, counted=False)
        case 429:
            return Receipt(
                Outcome.DEFERRED, Reason.QUOTA, text, status, code, counted=False, retry_after=wait or REST
            )
        case _ if status >= 500 or status == 408:
            return Receipt(Outcome.DEFERRED, Reason.DESTINATION_BUSY, text, status, code, retry_after=wait)
    return Receipt(Outcome.FAILED, Reason.DESTINATION_REFUSED, text, status, code)


def _name(body: bytes) -> str | None:
    try:
        return str(msgspec.json.decode(body)["name"])[:200]
    except (msgspec.DecodeError, KeyError, TypeError):
        return None


def _error(body: bytes) -> tuple[str, str]:
    """(words, FcmError's code or '')."""
    try:
        error = msgspec.json.decode(body)["error"]
        details = [one for one in error.get("details") or [] if isinstance(one, dict)]
        code = next((str(one.get("errorCode", "")) for one in details if one.get("@type") == _FCM_ERROR), "")
        text = str(error.get("message", ""))
    except (msgspec.DecodeError, RecursionError, KeyError, TypeError, AttributeError):
        return _printable(body[:300].decode(errors="replace")), ""
    return _printable(text), code[:50]


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text[:500]).strip()


class LoginRefused(Exception):
    """The service account is not accepted, or nobody answered: no message was sent."""

    def __init__(self, text: str, *, permanent: bool) -> None:
        super().__init__(text)
        self.permanent = permanent


Post = Callable[[str, dict[str, str], bytes], Awaitable[tuple[int, bytes]]]


class Login:
    """The access token of one service account: one refresh at a time, before the old one ends."""

    def __init__(
        self, credentials: Fcm, post: Post, url: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._credentials = credentials
        self._key = fcm_key(credentials)
        self._post = post
        self._url = url
        self._clock = clock
        self._lock = asyncio.Lock()
        self._token = ""
        self._until = 0.0

    async def token(self) -> str:
        """Raises LoginRefused."""
        async with self._lock:
            if self._clock() < self._until:
                return self._token
            now = int(self._clock())
            claims = {
                "iss": self._credentials.client_email,
                "scope": SCOPE,
                "aud": LOGIN,
                "iat": now,
                "exp": now + 3600,
            }
            header = {"kid": self._credentials.private_key_id} if self._credentials.private_key_id else {}
            body = urlencode(
                {
                    "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
                    "assertion": rs256(self._key, claims, typ="JWT", **header),
                }
            )
            status, answer = await self._post(
                self._url, {"Content-Type": "application/x-www-form-urlencoded"}, body.encode()
            )
            if status != 200:
                words = _printable(answer[:300].decode(errors="replace"))
                raise LoginRefused(f"{status} {words}", permanent=status in (400, 401, 403))
            try:
                found = msgspec.json.decode(answer)
                self._token, life = str(found["access_token"]), float(found.get("expires_in", 3600))
            except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError):
                raise LoginRefused("the answer to the sign-in cannot be read", permanent=False) from None
            self._until = self._clock() + max(life - RENEW_BEFORE, 0.0)
            return self._token

    def forget(self) -> None:
        """The service did not take the token."""
        self._until = 0.0
