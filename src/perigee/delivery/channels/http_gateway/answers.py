"""What a gateway's answer means for the message. The status decides first, then the words of the body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from perigee.delivery.channel import Outcome, Reason, Receipt
from perigee.delivery.channels.http_gateway.gateway import Answer, Gateway, read_verdict
from perigee.delivery.channels.http_gateway.templates import find, first
from perigee.lib.text import clean, shorten

_SIGN_IN: Final = frozenset({401, 403})
_LATER: Final = frozenset({408, 425, 429, 500, 503})
_UNKNOWN: Final = frozenset({502, 504})
"""Somebody between us and the gateway answers: the message may have arrived."""
MOST_SECONDS: Final = 3600.0


def read_answer(gateway: Gateway, status: int, headers: Mapping[str, str], body: bytes) -> Receipt:
    """Pure."""
    data = _data(body)
    answer = gateway.answer
    words = shorten(clean(first(data, answer.text) or body[:300].decode(errors="replace")), 500)
    verdict = next(
        (
            answer.verdicts[word]
            for path in answer.verdict
            if (word := find(data, path)) is not None and word in answer.verdicts
        ),
        None,
    )
    if verdict is not None:
        return _judged(answer, verdict, status, headers, data, words)
    if status in _UNKNOWN and not gateway.once:
        return Receipt(Outcome.UNCERTAIN, Reason.ANSWER_LOST, words, status)
    if status in _LATER or status >= 500:
        reason = Reason.PROVIDER_QUOTA if status == 429 else Reason.PROVIDER_UNREACHABLE
        return Receipt(
            Outcome.DEFERRED, reason, words, status, counted=False, retry_after=retry_after(headers)
        )
    if status in _SIGN_IN:
        return Receipt(Outcome.DEFERRED, Reason.PROVIDER_LOGIN, words, status, counted=False)
    if 200 <= status < 300:
        return _taken(answer, status, data, words)
    return Receipt(Outcome.FAILED, Reason.BAD_MESSAGE, words, status)


def _judged(
    answer: Answer, verdict: str, status: int, headers: Mapping[str, str], data: object, words: str
) -> Receipt:
    outcome, reason = read_verdict(verdict)
    if outcome is Outcome.SENT:
        return _taken(answer, status, data, words)
    if outcome is Outcome.DEFERRED:
        return Receipt(outcome, reason, words, status, counted=False, retry_after=retry_after(headers))
    return Receipt(outcome, reason, words, status)


def _taken(answer: Answer, status: int, data: object, words: str) -> Receipt:
    """A gateway that promises an id and gives none did not take the message."""
    name = first(data, answer.id)
    if answer.id and not name:
        return Receipt(Outcome.FAILED, Reason.BAD_MESSAGE, words, status)
    return Receipt(Outcome.SENT, code=status, provider_id=clean(name)[:200] if name else None)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds; the form with a date is not used by gateways."""
    text = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return min(float(text), MOST_SECONDS) if text.isdecimal() else None


def _data(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
