"""The body of a push: `aes128gcm` for one browser (RFC 8188, RFC 8291). Pure but for the random key and salt."""

from __future__ import annotations

import hmac
import os
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

LARGEST: Final = 3993
"""Bytes of plain text. Services take 4,096 in all: 86 go to the header, 16 to the tag, 1 ends the record."""

_CURVE: Final = ec.SECP256R1()
_RECORD_SIZE: Final = (4096).to_bytes(4, "big")
_LAST_RECORD: Final = b"\x02"


def encrypt(
    text: bytes,
    p256dh: bytes,
    auth: bytes,
    *,
    private: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """One record, readable with the private key of `p256dh` (65 bytes) and `auth` (16 bytes) alone.

    `private` and `salt` are new for each message; only a test gives them. Raises ValueError: `p256dh` is no point on
    P-256, the text is larger than `LARGEST`.
    """
    if len(text) > LARGEST:
        raise ValueError(f"{len(text)} bytes are more than {LARGEST}")
    browser = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, p256dh)
    private = private or ec.generate_private_key(_CURVE)
    salt = salt or os.urandom(16)
    ours = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = private.exchange(ec.ECDH(), browser)
    secret = _derive(auth, shared, b"WebPush: info\x00" + p256dh + ours, 32)
    key = _derive(salt, secret, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = _derive(salt, secret, b"Content-Encoding: nonce\x00", 12)
    header = salt + _RECORD_SIZE + bytes([len(ours)]) + ours
    return header + AESGCM(key).encrypt(nonce, text + _LAST_RECORD, None)


def _derive(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    """HKDF-SHA256 (RFC 5869) of at most one block."""
    return hmac.digest(hmac.digest(salt, secret, "sha256"), info + b"\x01", "sha256")[:length]
