"""API keys: 256 random bits behind a prefix that secret scanners can find, with a checksum against typing errors.

Only a keyed fingerprint is stored (reliability 35): a database that leaks holds no key, and a look-up is one HMAC
and one read of a unique index.
"""

from __future__ import annotations

import hmac
import secrets
import zlib

PREFIX = "pgk_"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def new_key() -> str:
    body = _base62(secrets.randbits(256), 43)
    return PREFIX + body + _checksum(body)


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), 6)


def looks_valid(key: str) -> bool:
    """Right form and checksum; says nothing about whether the key exists."""
    body, checksum = key[len(PREFIX) : -6], key[-6:]
    return (
        key.startswith(PREFIX)
        and len(body) == 43
        and hmac.compare_digest(_checksum(body).encode(), checksum.encode())
    )


def fingerprint(key: str, pepper: bytes) -> bytes:
    """32 bytes that find the key's row."""
    return hmac.digest(pepper, key.encode("utf-8", "replace"), "sha256")
