"""Envelopes by what the server announced."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.delivery.channel import Outcome, Reason, Receipt
from perigee.delivery.channels.smtp.envelope import envelope
from perigee.delivery.channels.smtp.tests.factories import make_outgoing
from perigee.delivery.channels.smtp.wire import Extensions, Reply


def announced(*words: str) -> Extensions:
    return Extensions(Reply(250, [b"server", *(word.encode() for word in words)]))


@pytest.mark.parametrize(
    ("words", "changes", "mail"),
    [
        ((), {}, b"MAIL FROM:<bounce@example.com>\r\n"),
        ((), {"sender": ""}, b"MAIL FROM:<>\r\n"),
        (("SIZE",), {"payload": b"12345"}, b"MAIL FROM:<bounce@example.com> SIZE=5\r\n"),
        (("SIZE 0",), {"payload": b"12345"}, b"MAIL FROM:<bounce@example.com> SIZE=5\r\n"),
        (("8BITMIME",), {}, b"MAIL FROM:<bounce@example.com>\r\n"),
        (("8BITMIME",), {"payload": "ї".encode()}, b"MAIL FROM:<bounce@example.com> BODY=8BITMIME\r\n"),
        (("SMTPUTF8",), {"address": "олена@example.com"}, b"MAIL FROM:<bounce@example.com> SMTPUTF8\r\n"),
        ((), {"address": "a@приклад.укр"}, b"MAIL FROM:<bounce@example.com>\r\n"),
    ],
)
def test_parameters_follow_the_announcement(
    words: tuple[str, ...], changes: dict[str, Any], mail: bytes
) -> None:
    made = envelope(make_outgoing(**changes), announced(*words))
    assert not isinstance(made, Receipt)
    assert made.mail == mail


@pytest.mark.parametrize(
    ("words", "changes", "reason", "advice"),
    [
        ((), {"address": "олена@example.com"}, Reason.ADDRESS_NOT_SUPPORTED, "nothing"),
        ((), {"sender": "олена@example.com"}, Reason.ADDRESS_NOT_SUPPORTED, "nothing"),
        ((), {"payload": "ї".encode()}, Reason.BAD_MESSAGE, "stop_message"),
        (("SIZE 4",), {"payload": b"12345"}, Reason.TOO_LARGE, "stop_message"),
        ((), {"address": "a@b>\r\nRCPT TO:<x@y"}, Reason.BAD_ADDRESS, "suppress"),
        ((), {"sender": "a@b>\r\nRCPT TO:<x@y"}, Reason.BAD_MESSAGE, "stop_message"),
    ],
)
def test_what_this_server_cannot_carry(
    words: tuple[str, ...], changes: dict[str, Any], reason: Reason, advice: str
) -> None:
    receipt = envelope(make_outgoing(**changes), announced(*words))
    assert isinstance(receipt, Receipt)
    assert (receipt.outcome, receipt.reason, receipt.advice) == (Outcome.FAILED, reason, advice)
