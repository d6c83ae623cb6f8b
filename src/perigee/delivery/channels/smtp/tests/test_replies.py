"""What answers mean, row by row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.delivery.channel import Advice, Outcome, Reason
from perigee.delivery.channels.smtp.replies import Stage, classify, provider_trouble, sent
from perigee.delivery.channels.smtp.wire import Reply

R, A = Reason, Advice
SENT_TO = Stage.RCPT

# answer, reason, may be tried again, held against the recipient, what follows for others
TABLE = [
    # temporary
    ("421 4.3.2 shutting down", R.DESTINATION_BUSY, True, False, A.SLOW_DESTINATION),
    ("421 4.7.0 try again later", R.BLOCKED, True, False, A.BREAKER),
    ("450 4.2.0 <x>: Recipient address rejected: Greylisted", R.GREYLISTED, True, True, A.DELAY_RECIPIENT),
    ("451 4.7.1 Greylisting in action, please come back later", R.GREYLISTED, True, True, A.DELAY_RECIPIENT),
    ("450 4.2.1 The user you are trying to contact is receiving mail too quickly", R.RECIPIENT_BUSY, True, True, A.DELAY_RECIPIENT),
    ("452 4.2.2 The recipient's inbox is out of storage space", R.MAILBOX_FULL, True, True, A.BLOCK_FOR_DAYS),
    ("421 4.7.28 unusual rate of unsolicited mail", R.QUOTA, True, False, A.STOP_QUOTA),
    ("451 4.7.650 The mail server has been temporarily rate limited", R.QUOTA, True, False, A.STOP_QUOTA),
    ("421 4.7.23 no PTR record", R.SENDER_SETUP, True, False, A.PAUSE_SENDER),
    ("421 5.7.32 alignment", R.SENDER_SETUP, True, False, A.PAUSE_SENDER),
    ("451 4.4.1 timed out", R.DESTINATION_BUSY, True, True, A.SLOW_DESTINATION),
    ("451 local error", R.DESTINATION_BUSY, True, True, A.SLOW_DESTINATION),
    ("452 4.3.1 insufficient storage", R.DESTINATION_BUSY, True, True, A.SLOW_DESTINATION),
    ("450 4.1.1 user unknown, for now", R.NO_SUCH_RECIPIENT, True, True, A.NOTHING),
    # the address is dead
    ("550 5.1.1 The email account that you tried to reach does not exist", R.NO_SUCH_RECIPIENT, False, True, A.SUPPRESS),
    ("550 5.1.6 moved", R.NO_SUCH_RECIPIENT, False, True, A.SUPPRESS),
    ("550 5.1.10 null MX", R.DOMAIN_GONE, False, True, A.SUPPRESS),
    ("553 5.1.2 no such domain", R.DOMAIN_GONE, False, True, A.SUPPRESS),
    ("553 5.1.3 bad syntax", R.BAD_ADDRESS, False, True, A.SUPPRESS),
    ("556 does not accept mail", R.DOMAIN_GONE, False, True, A.SUPPRESS),
    ("550 5.2.1 The email account is disabled", R.INACTIVE, False, True, A.SUPPRESS),
    ("550 No such user here", R.NO_SUCH_RECIPIENT, False, True, A.SUPPRESS),
    ("554 delivery error: dd This user doesn't have a yahoo.com account", R.NO_SUCH_RECIPIENT, False, True, A.SUPPRESS),
    ("550 mailbox not found", R.NO_SUCH_RECIPIENT, False, True, A.SUPPRESS),
    ("554 30 This mailbox is disabled", R.INACTIVE, False, True, A.SUPPRESS),
    # perhaps dead
    ("550 Requested action not taken: mailbox unavailable", R.UNCLASSIFIED, False, True, A.SUPPRESS_IF_REPEATED),
    ("550 5.5.0 Requested action not taken: mailbox unavailable", R.UNCLASSIFIED, False, True, A.SUPPRESS_IF_REPEATED),
    ("550 5.1.0 address rejected", R.UNCLASSIFIED, False, True, A.SUPPRESS_IF_REPEATED),
    ("550 5.4.1 access denied", R.DESTINATION_UNREACHABLE, False, True, A.SUPPRESS_IF_REPEATED),
    ("554", R.UNCLASSIFIED, False, True, A.SUPPRESS_IF_REPEATED),
    # full
    ("552 5.2.2 mailbox full", R.MAILBOX_FULL, False, True, A.BLOCK_FOR_DAYS),
    ("552 Quota exceeded", R.MAILBOX_FULL, False, True, A.BLOCK_FOR_DAYS),
    ("550 5.2.1 is receiving mail at a rate that prevents delivery", R.RECIPIENT_BUSY, False, True, A.DELAY_RECIPIENT),
    # us
    ("550 5.7.1 Service refused", R.BLOCKED, False, True, A.BREAKER),
    ("554 5.7.1 listed at Spamhaus", R.BLOCKED, False, True, A.BREAKER),
    ("550 5.7.1 detected as spam", R.SPAM_CONTENT, False, True, A.BREAKER),
    ("554 rejected because of our blocklist", R.BLOCKED, False, True, A.BREAKER),
    ("550 5.7.26 unauthenticated", R.SENDER_SETUP, False, False, A.PAUSE_SENDER),
    ("550 5.7.515 Access denied, sending domain does not meet the required level", R.SENDER_SETUP, False, False, A.PAUSE_SENDER),
    ("550 Sender address rejected: Domain not found", R.SENDER_REFUSED, False, False, A.PAUSE_SENDER),
    ("550 Helo command rejected: Host not found", R.SENDER_SETUP, False, False, A.PAUSE_SENDER),
    ("552 5.3.4 too big", R.TOO_LARGE, False, True, A.STOP_MESSAGE),
    ("554 5.6.0 malformed", R.BAD_MESSAGE, False, True, A.STOP_MESSAGE),
    ("503 5.5.1 bad sequence", R.BAD_MESSAGE, False, True, A.STOP_MESSAGE),
    ("501 syntax", R.BAD_MESSAGE, False, True, A.STOP_MESSAGE),
    ("550 5.6.7 no EAI", R.ADDRESS_NOT_SUPPORTED, False, True, A.NOTHING),
    # the provider
    ("530 5.7.0 Authentication required", R.PROVIDER_LOGIN, True, False, A.PAUSE_PROVIDER),
    ("535 5.7.8 bad credentials", R.PROVIDER_LOGIN, True, False, A.PAUSE_PROVIDER),
    ("550 5.4.5 Daily user sending limit exceeded", R.PROVIDER_QUOTA, True, False, A.PAUSE_PROVIDER),
    ("454 Throttling failure: Maximum sending rate exceeded", R.PROVIDER_QUOTA, True, False, A.PAUSE_PROVIDER),
]  # fmt: skip


def read(answer: str) -> Reply:
    return Reply(int(answer[:3]), [answer[4:].encode()])


@pytest.mark.parametrize(
    ("answer", "reason", "again", "counted", "advice"), TABLE, ids=[row[0][:40] for row in TABLE]
)
def test_an_answer_to_a_recipient(
    answer: str, reason: Reason, again: bool, counted: bool, advice: Advice
) -> None:
    receipt = classify(SENT_TO, read(answer))
    assert (receipt.reason, receipt.outcome is Outcome.DEFERRED, receipt.counted, receipt.advice) == (
        reason,
        again,
        counted,
        advice,
    )
    assert receipt.code == int(answer[:3])


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("550 5.1.1 user unknown", R.SENDER_REFUSED),
        ("550 no such user", R.SENDER_REFUSED),
        ("554", R.SENDER_REFUSED),
        ("450 4.1.8 sender domain not found", R.SENDER_REFUSED),
        ("451 later", R.DESTINATION_BUSY),
        ("552 5.3.4 too big", R.TOO_LARGE),
        ("530 5.7.0 sign in", R.PROVIDER_LOGIN),
    ],
)
def test_an_answer_to_the_sender_never_touches_the_recipient(answer: str, reason: Reason) -> None:
    receipt = classify(Stage.MAIL, read(answer))
    assert receipt.reason is reason
    assert not receipt.counted
    assert receipt.advice not in (A.SUPPRESS, A.SUPPRESS_IF_REPEATED, A.BLOCK_FOR_DAYS)


@given(
    st.sampled_from([Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.DOT]),
    st.integers(400, 599),
    st.text() | st.from_regex(r"\A[245]\.\d{1,3}\.\d{1,3} .*\Z"),
)
def test_every_refusal_has_a_reason(stage: Stage, code: int, text: str) -> None:
    receipt = classify(stage, Reply(code, [text.encode("utf-8", "replace")]))
    assert receipt.reason is not None
    assert receipt.outcome in (Outcome.DEFERRED, Outcome.FAILED)
    assert receipt.outcome is Outcome.FAILED or code < 500 or receipt.advice is A.PAUSE_PROVIDER
    if code < 500:
        assert receipt.outcome is Outcome.DEFERRED
        assert receipt.advice not in (A.SUPPRESS, A.SUPPRESS_IF_REPEATED)


@pytest.mark.parametrize(
    ("text", "provider_id"),
    [
        ("2.0.0 Ok: queued as 4F2A1", "4F2A1"),
        ("OK id=1rAbCd-0001", "1rAbCd-0001"),
        ("2.0.0 OK  1700000000 a1-gsmtp", None),
        ("", None),
    ],
)
def test_a_sent_message_keeps_the_providers_words(text: str, provider_id: str | None) -> None:
    receipt = sent(Reply(250, [text.encode()]))
    assert receipt.outcome is Outcome.SENT
    assert (receipt.text, receipt.provider_id) == (text, provider_id)
    assert receipt.advice is Advice.NOTHING


def test_a_refused_sign_in_is_trouble_of_the_provider() -> None:
    error = provider_trouble(Stage.AUTH, read("535 5.7.8 wrong password"))
    assert error.permanent
    assert error.reason is Reason.PROVIDER_LOGIN
    assert not provider_trouble(Stage.GREETING, read("421 too many connections")).permanent
