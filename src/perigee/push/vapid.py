"""The key pairs by which push services know us (RFC 8292): one per web-push domain, for good.

A new pair would end every subscription made under the old one, so a pair is made once, when the scripts of the
domain are asked for the first time.
"""

from __future__ import annotations

from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from perigee.lib.tokens import InvalidToken, decode, encode, seal, unseal


class VapidPair(NamedTuple):
    public: str
    """base64url of the uncompressed point, 65 bytes: `applicationServerKey` of browsers."""
    private: bytes
    """The scalar, 32 bytes."""


def make_pair() -> VapidPair:
    key = ec.generate_private_key(ec.SECP256R1())
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return VapidPair(encode(point), key.private_numbers().private_value.to_bytes(32, "big"))


def sealed(sealing: bytes, org_id: int, app_id: int, private: bytes) -> bytes:
    """The private half as it is stored."""
    return seal(sealing, private, _context(org_id, app_id))


def unsealed(sealing: bytes, org_id: int, app_id: int, stored: bytes) -> bytes:
    """Raises InvalidToken: another installation's, or another domain's."""
    return unseal(sealing, stored, _context(org_id, app_id))


def point(text: str) -> bytes | None:
    """The 65 bytes of a public key in base64url, or None when it is no point on P-256."""
    try:
        raw = decode(text.rstrip("="))
        if len(raw) != 65:
            return None
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
    except (InvalidToken, ValueError):
        return None
    return raw


def _context(org_id: int, app_id: int) -> bytes:
    return b"vapid %d/%d" % (org_id, app_id)
