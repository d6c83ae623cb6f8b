"""The token by which whatever comes back names the message it is about (VERP; protocols.md 2.6, reliability 22).

It stands in the envelope sender (`b+<token>@<bounce domain>`), is the local part of the Message-ID and travels in the
header that a provider's webhooks report back. Letters and digits in any case, because some servers change it: base32
of 80 bits of HMAC-SHA256 and the four numbers. 50 characters at most for numbers up to 2^28, 2^42, 2^35 and 2^42, so
that a local part with the prefix stays far below the 64 octets of RFC 5321.

The mailto of List-Unsubscribe (`u+<token>@<bounce domain>`) is made with a key of its own: a Message-ID is quoted by
everyone who answers, and must not let them unsubscribe the recipient.
"""

from __future__ import annotations

import hmac
from typing import NamedTuple

from perigee.errors import NotFound
from perigee.lib.tokens import InvalidToken, decode_lower, encode_lower, known, pack_numbers, unpack_numbers

BOUNCE = "b+"
"""Before a token made with `Keys.bounces`, in the local part of a return path."""
UNSUBSCRIBE = "u+"
"""Before a token made with `Keys.unsubscribe_mail`, in the local part of a mailbox whose mail unsubscribes."""
FEEDBACK = "fbl+"
"""Before a token made with `Keys.bounces`, in the address for complaints (CFBL-Address, RFC 9477)."""
MAC_BYTES = 10


class Bounced(NamedTuple):
    """The message a token names: one recipient of one send."""

    org_id: int
    send_id: int
    ordinal: int
    contact_id: int


def token(key: bytes, org_id: int, send_id: int, ordinal: int, contact_id: int) -> str:
    """The same for a message on every try and every machine (reliability 12). About 3 µs."""
    numbers = pack_numbers((org_id, send_id, ordinal, contact_id))
    return encode_lower(_mac(key, numbers) + numbers)


def read(key: bytes, text: str) -> Bounced:
    """What a token, in any case, names. Raises NotFound for anything that we did not make with this key."""
    try:
        raw = decode_lower(text)
        mac, numbers = raw[:MAC_BYTES], raw[MAC_BYTES:]
        if not any(hmac.compare_digest(mac, _mac(one, numbers)) for one in known(key)):
            raise InvalidToken
        return Bounced(*unpack_numbers(numbers))
    except InvalidToken:
        raise NotFound("no message of ours") from None


def _mac(key: bytes, numbers: bytes) -> bytes:
    return hmac.digest(key, numbers, "sha256")[:MAC_BYTES]
