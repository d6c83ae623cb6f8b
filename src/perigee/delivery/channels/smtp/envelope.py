"""The envelope of one message on one session: the commands, or the reason why this session cannot carry it. Pure."""

from __future__ import annotations

from typing import NamedTuple

from perigee.delivery.channel import Outcome, Outgoing, Reason, Receipt
from perigee.delivery.channels.smtp.wire import BadAddress, Extensions, envelope_path


class Envelope(NamedTuple):
    mail: bytes
    rcpt: bytes


def envelope(outgoing: Outgoing, extensions: Extensions) -> Envelope | Receipt:
    """MAIL and RCPT with the parameters this server announced, CRLF included; a receipt when it cannot be done.

    An address that only lacks SMTPUTF8 here is not a bad address; nothing about it is suppressed.
    """
    try:
        recipient = envelope_path(outgoing.address)
    except BadAddress as error:
        return Receipt(Outcome.FAILED, Reason.BAD_ADDRESS, str(error))
    try:
        sender = envelope_path(outgoing.sender) if outgoing.sender else b""
    except BadAddress as error:
        return Receipt(Outcome.FAILED, Reason.BAD_MESSAGE, f"envelope sender: {error}", counted=False)
    payload = outgoing.payload
    parameters = b""
    if not (recipient.isascii() and sender.isascii()):
        if not extensions.smtputf8:
            return Receipt(
                Outcome.FAILED,
                Reason.ADDRESS_NOT_SUPPORTED,
                "the server does not support international addresses (SMTPUTF8)",
            )
        parameters += b" SMTPUTF8"
    if not payload.isascii():
        if not extensions.eight_bit:
            return Receipt(
                Outcome.FAILED, Reason.BAD_MESSAGE, "8-bit message for a 7-bit server", counted=False
            )
        parameters += b" BODY=8BITMIME"
    if extensions.size:
        size = len(payload)
        if 0 < extensions.max_size < size:
            limit = f"message of {size} bytes; the server takes {extensions.max_size}"
            return Receipt(Outcome.FAILED, Reason.TOO_LARGE, limit, counted=False)
        parameters += b" SIZE=%d" % size
    return Envelope(b"MAIL FROM:<%b>%b\r\n" % (sender, parameters), b"RCPT TO:<%b>\r\n" % recipient)
