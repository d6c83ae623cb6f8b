"""The answers of push services (protocols 2.8) in our words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.delivery.channel import Advice, Outcome, Reason
from perigee.delivery.channels.webpush.replies import LONGEST_WAIT, receipt, seconds

WAITS, FAILS = Outcome.DEFERRED, Outcome.FAILED


@pytest.mark.parametrize(
    ("status", "outcome", "reason", "advice"),
    [
        (201, Outcome.SENT, None, Advice.NOTHING),
        (200, Outcome.SENT, None, Advice.NOTHING),
        (404, FAILS, Reason.NO_SUCH_RECIPIENT, Advice.SUPPRESS),
        (410, FAILS, Reason.NO_SUCH_RECIPIENT, Advice.SUPPRESS),
        (400, FAILS, Reason.BAD_MESSAGE, Advice.STOP_MESSAGE),
        (413, FAILS, Reason.TOO_LARGE, Advice.STOP_MESSAGE),
        (401, WAITS, Reason.SENDER_SETUP, Advice.PAUSE_SENDER),
        (403, WAITS, Reason.SENDER_SETUP, Advice.PAUSE_SENDER),
        (406, WAITS, Reason.QUOTA, Advice.STOP_QUOTA),
        (429, WAITS, Reason.QUOTA, Advice.STOP_QUOTA),
        (500, WAITS, Reason.DESTINATION_BUSY, Advice.SLOW_DESTINATION),
        (503, WAITS, Reason.DESTINATION_BUSY, Advice.SLOW_DESTINATION),
        (307, FAILS, Reason.DESTINATION_REFUSED, Advice.BREAKER),
    ],
)
def test_each_status_has_its_meaning(
    status: int, outcome: Outcome, reason: Reason | None, advice: Advice
) -> None:
    found = receipt(status)
    assert (found.outcome, found.reason, found.advice, found.code) == (outcome, reason, advice, status)


@given(st.integers(min_value=100, max_value=599))
def test_only_404_and_410_cost_the_token(status: int) -> None:
    assert (receipt(status).advice is Advice.SUPPRESS) == (status in (404, 410))


def test_the_words_of_a_service_are_cut_and_lose_control_characters() -> None:
    assert receipt(400, "a\x00b\nc").text == "a b c"
    assert len(receipt(400, "x" * 5000).text) == 500


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 37.0),
        ("Sun, 06 Nov 1994 08:00:00 GMT", 0.0),
        ("99999999999999999999", LONGEST_WAIT),
        ("Sun, 06 Nov 2094 08:49:37 GMT", LONGEST_WAIT),
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("²", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str | None, wait: float | None) -> None:
    assert seconds(header, now=784_111_740.0) == wait


@given(st.text())
def test_whatever_retry_after_holds_is_no_error(header: str) -> None:
    wait = seconds(header)
    assert wait is None or 0 <= wait <= LONGEST_WAIT
