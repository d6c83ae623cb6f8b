"""What mails that come back say."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.bounces.mail import Finding, Kind, Unreadable, read_mail
from perigee.bounces.meaning import why
from perigee.bounces.tests.samples import EXIM, QMAIL, arf, dsn, written
from perigee.delivery.channel import Reason

TOKEN = "abcdefghijklmnopqrstuvwxyz234567"


def test_a_delivery_status_is_a_bounce_with_the_servers_words() -> None:
    found = read_mail(dsn(f"{TOKEN}@shop.example.com"))
    assert found == Finding(
        Kind.BOUNCED,
        (TOKEN,),
        "5.1.1",
        "550 5.1.1 <anna@example.com>: no such user here",
        "mailer-daemon@mx.example.com",
    )


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("failed", Kind.BOUNCED),
        ("Failed", Kind.BOUNCED),
        ("delayed", Kind.DELAYED),
        ("delivered", Kind.DELIVERED),
        ("relayed", Kind.RELAYED),
        ("expanded", Kind.RELAYED),
    ],
)
def test_the_action_decides(action: str, kind: Kind) -> None:
    assert read_mail(dsn(action=action)).kind is kind


@pytest.mark.parametrize(
    ("feedback", "kind"),
    [
        ("abuse", Kind.COMPLAINED),
        ("fraud", Kind.COMPLAINED),
        ("not-spam", Kind.NOT_SPAM),
        ("auth-failure", Kind.AUTH_FAILURE),
        ("something-new", Kind.OTHER_FEEDBACK),
    ],
)
def test_feedback_by_its_type(feedback: str, kind: Kind) -> None:
    found = read_mail(arf(f"{TOKEN}@x", kind=feedback))
    assert (found.kind, found.tokens) == (kind, (TOKEN,))
    assert "SomeGenerator" in found.text


def test_bounces_without_a_standard_form_are_read() -> None:
    qmail, exim = read_mail(QMAIL), read_mail(EXIM)
    assert (qmail.kind, qmail.status) == (Kind.BOUNCED, "5.1.1")
    assert why(qmail.status, qmail.text) is Reason.NO_SUCH_RECIPIENT
    assert (exim.kind, exim.status) == (Kind.BOUNCED, "5.2.2")
    assert why(exim.status, exim.text) is Reason.MAILBOX_FULL


@pytest.mark.parametrize(
    "headers",
    ["Auto-Submitted: auto-replied\r\n", "X-Autoreply: yes\r\n", "Precedence: auto_reply\r\n", ""],
)
def test_an_answer_from_the_beach_is_no_bounce(headers: str) -> None:
    text = "I am away. User unknown to nobody. <anna@example.com>: 550 5.1.1"
    found = read_mail(written(text, subject="Out of office: News", headers=headers))
    assert found.kind is Kind.AUTOMATIC


def test_a_read_receipt_is_no_bounce() -> None:
    raw = dsn().replace(b"message/delivery-status", b"message/disposition-notification")
    assert read_mail(raw).kind is Kind.READ_RECEIPT


@pytest.mark.parametrize(
    ("subject", "text", "out"),
    [
        ("unsubscribe", "", True),
        ("Re: News", "Unsubscribe!\r\n\r\n> Hello", True),
        ("Re: News", "STOP", True),
        ("Re: News", "отписаться", True),
        ("Re: News", "How do I unsubscribe my mother?", False),
        ("Re: News", "Thank you\r\n> unsubscribe", False),
    ],
)
def test_who_writes_that_they_want_out(subject: str, text: str, out: bool) -> None:
    found = read_mail(written(text, subject=subject))
    assert (found.kind, found.wants_out, found.sender) == (Kind.MAIL, out, "anna@example.com")


@pytest.mark.parametrize(
    ("status", "text", "reason"),
    [
        ("5.1.1", "550 5.1.1 unknown", Reason.NO_SUCH_RECIPIENT),
        ("5.0.0", "550 5.1.1 unknown", Reason.NO_SUCH_RECIPIENT),
        ("", "550 user unknown", Reason.NO_SUCH_RECIPIENT),
        ("5.2.2", "", Reason.MAILBOX_FULL),
        ("4.2.2", "452 4.2.2 over quota", Reason.MAILBOX_FULL),
        ("4.4.7", "delivery time expired", Reason.EXPIRED),
        ("5.7.1", "550 5.7.1 blocked by reputation", Reason.BLOCKED),
        ("5.0.0", "something went wrong", Reason.UNCLASSIFIED),
        ("", "", Reason.UNCLASSIFIED),
    ],
)
def test_the_reason_is_that_of_the_same_answer_in_a_session(status: str, text: str, reason: Reason) -> None:
    assert why(status, text) is reason


def test_mail_beyond_the_limits_is_not_read() -> None:
    for raw in (
        b"a" * (1024 * 1024 + 1),
        b"X: y\r\n" * 1001 + b"\r\n",
        b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(30)),
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + b"--b\r\n\r\nx\r\n" * 60 + b"--b--\r\n",
    ):
        with pytest.raises(Unreadable):
            read_mail(raw)


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with contextlib.suppress(Unreadable):
        assert read_mail(raw).kind in Kind


@given(st.data())
def test_a_damaged_report_is_read_or_refused(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from([dsn(), arf(), QMAIL, EXIM]))
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    raw = whole[:start] + data.draw(st.binary(max_size=20)) + whole[end:]
    with contextlib.suppress(Unreadable):
        found = read_mail(raw)
        assert len(found.text) <= 500
        assert found.text.isprintable()


@given(st.text(max_size=30), st.text(max_size=600))
def test_every_text_has_a_reason(status: str, text: str) -> None:
    assert why(status, text) in Reason
