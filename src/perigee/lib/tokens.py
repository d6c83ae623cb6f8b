"""Signed tokens in links, keys derived from the installation's secret, and secrets sealed at rest.

A token is `base64url(varints) + base64url(mac)`: the integers it names and a MAC over purpose and key version, so
a token of one purpose is worthless for another (reliability 33). Nothing in it is an address.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAC_BYTES = 16


class InvalidToken(Exception):
    """The token was not made by us, for this purpose, or was changed."""


def derive(secret: str, label: str) -> bytes:
    """A 32-byte key for one purpose (HKDF-SHA256 expand; the secret is already random)."""
    return hmac.digest(secret.encode(), b"perigee " + label.encode() + b"\x01", "sha256")


class Signer:
    """Signs with the current key, verifies with any known one. Keys are numbered 0 to 255."""

    def __init__(self, keys: Mapping[int, bytes], current: int) -> None:
        self._keys = dict(keys)
        self._current = current

    def mac(self, purpose: str, data: bytes, version: int | None = None) -> bytes:
        """The bare MAC, for callers with a token form of their own."""
        key = self._keys[self._current if version is None else version]
        return hmac.digest(key, purpose.encode() + b"\x00" + data, "sha256")[:MAC_BYTES]

    def sign(self, purpose: str, *numbers: int, extra: bytes = b"") -> str:
        """A token that names `numbers` (each ≥ 0); `extra` is covered by the MAC but not carried."""
        payload = bytes([self._current]) + pack_numbers(numbers)
        return encode(payload + self.mac(purpose, payload + b"\x00" + extra))

    def verify(self, purpose: str, token: str, *, extra: bytes = b"") -> tuple[int, ...]:
        """The numbers. Raises InvalidToken."""
        raw = decode(token)
        payload, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
        if not payload or payload[0] not in self._keys:
            raise InvalidToken
        if not hmac.compare_digest(mac, self.mac(purpose, payload + b"\x00" + extra, payload[0])):
            raise InvalidToken
        return unpack_numbers(payload[1:])


def pack_numbers(numbers: tuple[int, ...]) -> bytes:
    """Varints: seven bits a byte, the highest bit says that more follow."""
    out = bytearray()
    for number in numbers:
        while number > 0x7F:
            out.append(number & 0x7F | 0x80)
            number >>= 7
        out.append(number)
    return bytes(out)


def unpack_numbers(data: bytes) -> tuple[int, ...]:
    numbers, number, shift = [], 0, 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(number)
            number, shift = 0, 0
    if shift:
        raise InvalidToken
    return tuple(numbers)


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Raises InvalidToken. Only the one canonical spelling is taken."""
    if len(text) > 512 or not text.isascii():
        raise InvalidToken
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise InvalidToken from None
    if encode(raw) != text:
        raise InvalidToken
    return raw


def seal(key: bytes, secret: bytes) -> bytes:
    """AES-256-GCM; the first byte is the version of the form."""
    nonce = os.urandom(12)
    return b"\x01" + nonce + AESGCM(key).encrypt(nonce, secret, b"perigee")


def unseal(key: bytes, sealed: bytes) -> bytes:
    """Raises InvalidToken when the key is another one or the bytes were changed."""
    try:
        if sealed[:1] != b"\x01":
            raise InvalidToken
        return AESGCM(key).decrypt(sealed[1:13], sealed[13:], b"perigee")
    except (InvalidTag, ValueError):
        raise InvalidToken from None


def digest(data: bytes) -> bytes:
    """A 16-byte content hash, for fingerprints that need no secret."""
    return hashlib.blake2b(data, digest_size=16).digest()
