"""What push services answer, in our words (protocols 2.8). Pure."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import Final

from perigee.delivery.channel import Outcome, Reason, Receipt

LONGEST_WAIT: Final = 86_400.0
"""Seconds that we wait at a service's request."""

_FINAL: Final = {
    400: Reason.BAD_MESSAGE,
    404: Reason.NO_SUCH_RECIPIENT,
    410: Reason.NO_SUCH_RECIPIENT,
    413: Reason.TOO_LARGE,
}
_WAITING: Final = {
    401: Reason.SENDER_SETUP,  # our key: the send stops, the tokens stay, what waits goes out when it is mended
    403: Reason.SENDER_SETUP,
    406: Reason.QUOTA,  # so says Windows
    408: Reason.DESTINATION_BUSY,
    425: Reason.DESTINATION_BUSY,
    429: Reason.QUOTA,
}


def receipt(status: int, text: str = "", retry_after: str | None = None) -> Receipt:
    """`text`: the service's words; `retry_after`: the header of that name."""
    if 200 <= status < 300:
        return Receipt(Outcome.SENT, code=status)
    words = "".join(sign if sign.isprintable() else " " for sign in text[:500]).strip()
    if reason := _FINAL.get(status):
        return Receipt(Outcome.FAILED, reason, words, status)
    reason = _WAITING.get(status) or (Reason.DESTINATION_BUSY if status >= 500 else None)
    if reason is not None:
        return Receipt(Outcome.DEFERRED, reason, words, status, retry_after=seconds(retry_after))
    # A redirect is not followed: an endpoint is a secret and no other host may learn it.
    refused = Reason.DESTINATION_REFUSED if 300 <= status < 400 else Reason.UNCLASSIFIED
    return Receipt(Outcome.FAILED, refused, words, status)


def seconds(retry_after: str | None, now: float | None = None) -> float | None:
    """Of `Retry-After`, which is a number of seconds or a date (RFC 9110, 10.2.3). None: nothing that can be read."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return min(max(moment - (time.time() if now is None else now), 0.0), LONGEST_WAIT)
