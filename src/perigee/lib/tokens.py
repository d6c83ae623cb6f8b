"""Keys derived from the installation's one secret, signed tokens in links, and secrets sealed at rest.

A token (reliability 33) is `base64url(version, varints, mac)`: the key version, the integers it names and 128 bits of
HMAC-SHA256 over purpose, version and integers. By habit the first integer is the organisation, so a token of one
tenant or purpose is worthless for another. No address ever goes into one. About 2 µs to sign, 3 µs to verify.
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
MAX_TOKEN = 512
_NONCE = 12
_SALT = b"perigee"


class InvalidToken(Exception):
    """The token or sealed secret was not made by us, was made for another purpose, or was changed."""


def derive(secret: str, label: str) -> bytes:
    """32 bytes for one purpose: HKDF-SHA256 (RFC 5869) of the secret with the label as its info."""
    pseudorandom = hmac.digest(_SALT, secret.encode(), "sha256")
    return hmac.digest(pseudorandom, label.encode() + b"\x01", "sha256")


class Key(bytes):
    """The current key of one purpose, and by number those that it took the place of: what they made is still read."""

    versions: Mapping[int, bytes]
    """All that are known, the current one too."""
    current: int

    def __new__(cls, versions: Mapping[int, bytes], current: int) -> Key:
        made = super().__new__(cls, versions[current])
        made.versions, made.current = versions, current
        return made


def known(key: bytes) -> list[bytes]:
    """What can have been made with: the key itself, then those it took the place of, the latest first."""
    if not isinstance(key, Key):
        return [key]
    earlier = sorted(key.versions.keys() - {key.current}, reverse=True)
    return [bytes(key), *(key.versions[number] for number in earlier)]


class Signer:
    """Signs with the current key, verifies with any known one. Keys are numbered 0 to 255.

    `case_safe` tokens use lower-case letters and digits only and are read in any case: for the local part of a
    return path, which some mail servers change to capitals. They are a fifth longer.
    """

    def __init__(self, keys: Mapping[int, bytes], current: int, *, case_safe: bool = False) -> None:
        self._keys = {bytes([version]): key for version, key in keys.items()}
        self._current = bytes([current])
        self._encode, self._decode = (encode_lower, decode_lower) if case_safe else (encode, decode)
        if self._current not in self._keys:
            raise ValueError(f"no key of version {current}")

    @property
    def versions(self) -> list[int]:
        """Of all known keys."""
        return [version[0] for version in self._keys]

    def mac(self, purpose: str, data: bytes, version: int | None = None) -> bytes:
        """The bare 16-byte MAC, for callers with a token form of their own. KeyError for an unknown version."""
        key = self._keys[self._current if version is None else bytes([version])]
        return _mac(key, purpose, data)

    def sign(self, purpose: str, *numbers: int, extra: bytes = b"") -> str:
        """A token that names `numbers` (each 0 or more); `extra` is covered by the MAC but not carried."""
        payload = self._current + pack_numbers(numbers)
        return self._encode(payload + _mac(self._keys[self._current], purpose, _covered(payload, extra)))

    def verify(self, purpose: str, token: str, *, extra: bytes = b"") -> tuple[int, ...]:
        """The numbers. Raises InvalidToken, and never says why."""
        raw = self._decode(token)
        payload, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
        key = self._keys.get(payload[:1])
        if key is None or not hmac.compare_digest(mac, _mac(key, purpose, _covered(payload, extra))):
            raise InvalidToken
        return unpack_numbers(payload[1:])


def _mac(key: bytes, purpose: str, data: bytes) -> bytes:
    return hmac.digest(key, purpose.encode() + b"\x00" + data, "sha256")[:MAC_BYTES]


def _covered(payload: bytes, extra: bytes) -> bytes:
    """What the MAC is over. The length keeps bytes from moving between the two."""
    return len(payload).to_bytes(2, "big") + payload + extra


def pack_numbers(numbers: tuple[int, ...]) -> bytes:
    """Varints: seven bits a byte, the highest bit says that more follow. ValueError for a negative number."""
    out = bytearray()
    for number in numbers:
        while number > 0x7F:
            out.append(number & 0x7F | 0x80)
            number >>= 7
        out.append(number)
    return bytes(out)


def unpack_numbers(data: bytes) -> tuple[int, ...]:
    """Raises InvalidToken when the last number is cut off."""
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
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Raises InvalidToken. Only the one canonical spelling is taken."""
    if len(text) > MAX_TOKEN or not text.isascii():
        raise InvalidToken
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise InvalidToken from None
    if encode(raw) != text:
        raise InvalidToken
    return raw


def encode_lower(raw: bytes) -> str:
    """base32 in lower case without padding."""
    return base64.b32encode(raw).rstrip(b"=").decode().lower()


def decode_lower(text: str) -> bytes:
    """Raises InvalidToken. The one canonical spelling, in any case."""
    if len(text) > MAX_TOKEN or not text.isascii():
        raise InvalidToken
    try:
        raw = base64.b32decode(text.upper() + "=" * (-len(text) % 8))
    except binascii.Error:
        raise InvalidToken from None
    if encode_lower(raw) != text.lower():
        raise InvalidToken
    return raw


class Sealer:
    """AES-256-GCM with numbered keys: seals with the current one, opens what any known one sealed.

    `context` says whose secret it is (`b"provider 12/7"`); sealed bytes put into another row do not open there.
    """

    def __init__(self, keys: Mapping[int, bytes], current: int) -> None:
        self._ciphers = {bytes([version]): AESGCM(key) for version, key in keys.items()}
        self._current = bytes([current])
        if self._current not in self._ciphers:
            raise ValueError(f"no key of version {current}")

    def seal(self, secret: bytes, context: bytes = b"") -> bytes:
        """Key version, nonce, cipher text and tag: 29 bytes longer than the secret."""
        nonce = os.urandom(_NONCE)
        return self._current + nonce + self._ciphers[self._current].encrypt(nonce, secret, _SALT + context)

    def unseal(self, sealed: bytes, context: bytes = b"") -> bytes:
        """Raises InvalidToken when the key or context is another one or the bytes were changed."""
        cipher = self._ciphers.get(sealed[:1])
        if cipher is None:
            raise InvalidToken
        try:
            return cipher.decrypt(sealed[1 : _NONCE + 1], sealed[_NONCE + 1 :], _SALT + context)
        except (InvalidTag, ValueError):
            raise InvalidToken from None


def seal(key: bytes, secret: bytes, context: bytes = b"") -> bytes:
    """`Sealer.seal` with the current key; plain bytes are a key of version 1."""
    return _sealer(key).seal(secret, context)


def unseal(key: bytes, sealed: bytes, context: bytes = b"") -> bytes:
    """`Sealer.unseal` with every known key."""
    return _sealer(key).unseal(sealed, context)


def _sealer(key: bytes) -> Sealer:
    return Sealer(key.versions, key.current) if isinstance(key, Key) else Sealer({1: key}, 1)


def digest(data: bytes) -> bytes:
    """A 16-byte content hash, for fingerprints that need no secret."""
    return hashlib.blake2b(data, digest_size=16).digest()
