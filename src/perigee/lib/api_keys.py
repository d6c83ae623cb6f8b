"""API keys: 256 random bits behind a prefix that secret scanners can find, with a checksum against typing errors.

Only a keyed fingerprint is stored (reliability 35): a database that leaks holds no key, and a look-up is one HMAC
and one read of a unique index.
"""

from __future__ import annotations

import hmac
import re
import secrets
import zlib

PREFIX = "pgk_"
BODY, CHECKSUM = 43, 6  # base62 digits of 256 and of 32 bits

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FORM = re.compile(rf"{PREFIX}([0-9A-Za-z]{{{BODY}}})([0-9A-Za-z]{{{CHECKSUM}}})")


def new_key() -> str:
    """53 characters, letters, digits and one underscore; to be shown once and kept nowhere."""
    body = _base62(secrets.randbits(256), BODY)
    return PREFIX + body + _checksum(body)


def looks_valid(key: str) -> bool:
    """Right form and checksum, so worth a look-up; says nothing about whether the key exists."""
    match = _FORM.fullmatch(key)
    return match is not None and _checksum(match[1]) == match[2]  # a checksum is no secret


def fingerprint(key: str, pepper: bytes) -> bytes:
    """32 bytes (HMAC-SHA256) that find the key's row. Any text has one; compare through the index."""
    return hmac.digest(pepper, key.encode("utf-8", "replace"), "sha256")


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), CHECKSUM)


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
