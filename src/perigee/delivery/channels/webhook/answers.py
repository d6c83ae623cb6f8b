"""What an endpoint's answer means for the message: the status decides, the body is for people. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from perigee.delivery.channel import Outcome, Reason, Receipt
from perigee.delivery.channels.http_gateway.answers import retry_after
from perigee.lib.text import clean, shorten

GONE: Final = 410
GONE_SECONDS: Final = 600.0
"""A message of nobody's campaign looks so often whether the endpoint is there again."""
_LATER: Final = frozenset({408, 425, 429})
_AWAY: Final = frozenset({502, 503, 504})
"""Not this message's trouble: whoever stands before the endpoint does not get through, or it asks for a rest."""


def read_answer(status: int, headers: Mapping[str, str], body: bytes) -> Receipt:
    """The same message may come again under the same id, so whatever is not an answer of the endpoint itself only
    waits. A redirect is not followed: what is signed goes where the operator said."""
    words = shorten(clean(body[:300].decode(errors="replace")).strip(), 500)
    if 200 <= status < 300:
        return Receipt(Outcome.SENT, code=status)
    if status == GONE:
        words = words or "the endpoint is gone"
        return Receipt(
            Outcome.DEFERRED, Reason.PROVIDER_GONE, words, status, counted=False, retry_after=GONE_SECONDS
        )
    wait = retry_after(headers)
    if status in _AWAY or status == 429:
        reason = Reason.PROVIDER_QUOTA if status == 429 else Reason.PROVIDER_UNREACHABLE
        return Receipt(Outcome.DEFERRED, reason, words, status, counted=False, retry_after=wait)
    if status in _LATER or status >= 500:
        return Receipt(Outcome.DEFERRED, Reason.DESTINATION_BUSY, words, status, retry_after=wait)
    if 300 <= status < 400:
        words = "the endpoint redirects, which is not followed"
        return Receipt(Outcome.DEFERRED, Reason.PROVIDER_REFUSED, words, status, counted=False)
    return Receipt(Outcome.FAILED, Reason.BAD_MESSAGE, words, status)
