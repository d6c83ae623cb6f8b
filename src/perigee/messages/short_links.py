"""Codes of short links: `<short address>/s/<code>`, 16 to 18 characters where every character is paid for.

A code is the organisation, the send, the message's number within it and the link's number, then 40 bits of the MAC over
them. Nothing is stored for a message, and nobody is named: to whom it went is looked up when the link is followed.

40 bits are few for a signature and enough here. Whoever guesses a code, a million million tries, is led to an address
that the author put into a message, and is counted there; what acts in a person's name, such as unsubscribing, keeps its
128 bits (`messages.links`).
"""

from __future__ import annotations

import hmac
from typing import NamedTuple

from perigee.errors import NotFound
from perigee.lib.tokens import Signer

CHANNELS = frozenset({"sms", "viber"})
"""Whose tracked links are short."""
MAX_CODE = 64

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_BASE = 31
"""Of a number's digits: the upper half of `_DIGITS` says that more of them follow."""
_MAC_BYTES = 5
_MAC_DIGITS = 7  # 62 ** 7 is above 2 ** 40
_PURPOSE = "short link"


class ShortLink(NamedTuple):
    """A link of the table of a send, in the message of this ordinal."""

    org_id: int
    send_id: int
    ordinal: int
    link_no: int


def write(signer: Signer, link: ShortLink) -> str:
    """The code."""
    head = "".join(map(_number, link))
    return head + _mac(signer, head, None)


def read(signer: Signer, code: str) -> ShortLink:
    """Raises NotFound for anything we did not make."""
    head, mac = code[:-_MAC_DIGITS], code[-_MAC_DIGITS:]
    if len(code) > MAX_CODE or not code.isascii() or not _is_ours(signer, head, mac):
        raise NotFound("no such link")
    return ShortLink(*_numbers(head))


def _is_ours(signer: Signer, head: str, mac: str) -> bool:
    """No key version is carried: there are few of them, and a character is a character."""
    return any(hmac.compare_digest(mac, _mac(signer, head, version)) for version in signer.versions)


def _mac(signer: Signer, head: str, version: int | None) -> str:
    value = int.from_bytes(signer.mac(_PURPOSE, head.encode(), version)[:_MAC_BYTES])
    digits = []
    for _ in range(_MAC_DIGITS):
        value, digit = divmod(value, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(digits)


def _number(value: int) -> str:
    value, digit = divmod(value, _BASE)
    digits = [_DIGITS[digit]]
    while value:
        value, digit = divmod(value, _BASE)
        digits.append(_DIGITS[_BASE + digit])
    return "".join(reversed(digits))


def _numbers(head: str) -> list[int]:
    """Of a head that we wrote."""
    numbers, number = [], 0
    for sign in head:
        more, digit = divmod(_VALUES[sign], _BASE)
        number = number * _BASE + digit
        if not more:
            numbers.append(number)
            number = 0
    return numbers
