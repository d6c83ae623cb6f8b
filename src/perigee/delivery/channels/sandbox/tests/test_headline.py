"""The line by which a message is recognised in a list."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from perigee.delivery.channels.sandbox.outbox import Kept, headline, open_letter, readable


def kept(body: bytes, channel: str = "email") -> Kept:
    return Kept(1, 2, 3, channel, "a@example.com", "s@example.com", body, datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "subject",
    [
        "Plain words",
        "Олено, ваш літній список",
        "さくら, your summer list that is so long that it does not fit on one line of a header, and then some more",
        "O'Brien & Co <b>",
        "a = b, =? c",
    ],
)
def test_the_subject_as_a_mail_program_shows_it(subject: str) -> None:
    message = (
        b"From: s@example.com\r\nSUBJECT: "
        + _encoded(subject)
        + b"\r\nTo: a@example.com\r\n\r\nSubject: no\r\n"
    )
    assert headline(kept(message)) == open_letter(message).subject == subject


def _encoded(subject: str) -> bytes:
    from email.message import EmailMessage
    from email.policy import SMTP

    message = EmailMessage(policy=SMTP)
    message["Subject"] = subject
    return message.as_bytes().partition(b": ")[2].partition(b"\r\n\r\n")[0].rstrip(b"\r\n")


def test_without_a_subject_there_is_none() -> None:
    assert headline(kept(b"From: s@example.com\r\n\r\nSubject: of the text\r\n")) == ""


def test_the_beginning_of_other_messages() -> None:
    assert headline(kept("Вітаємо".encode(), "sms")) == "Вітаємо"


def test_messages_of_several_members_show_title_and_text() -> None:
    push = kept(b'{"ttlSec":60,"title":"Paid","text":"Order 1","buttons":[{"label":"Open"}]}', "mobilepush")
    assert headline(push) == "Paid — Order 1"
    assert readable(push) == 'ttlSec: 60\ntitle: Paid\ntext: Order 1\nbuttons: [{"label":"Open"}]'
    assert headline(kept(b"no JSON", "viber")) == "no JSON"
    assert headline(kept(b"Hi", "sms")) == readable(kept(b"Hi", "sms")) == "Hi"
