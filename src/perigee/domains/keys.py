"""The keys of a sender domain: an RSA-2048 and an Ed25519 key under two selectors (RFC 6376, 8301, 8463)."""

from __future__ import annotations

import secrets
from base64 import b64encode
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from perigee.lib.tokens import seal, unseal

RSA_BITS = 2048
_ED_BYTES = 32


@dataclass(frozen=True, slots=True)
class Pair:
    """`selector` is the stem of both selectors; the public halves are base64, as `p=` of the records has them."""

    selector: str
    rsa_public: str
    ed_public: str
    rsa: RSAPrivateKey
    ed: Ed25519PrivateKey


def make_pair() -> Pair:
    """A new pair. Takes some tenths of a second of processor time: not for the event loop."""
    rsa = generate_private_key(65537, RSA_BITS)
    ed = Ed25519PrivateKey.generate()
    rsa_public = rsa.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ed_public = ed.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    # By chance, so that two organisations that claim one domain never ask for the same records.
    selector = f"pg{secrets.token_hex(4)}"
    return Pair(selector, b64encode(rsa_public).decode(), b64encode(ed_public).decode(), rsa, ed)


def selectors(stem: str) -> tuple[str, str]:
    """Of the RSA key, of the Ed25519 key."""
    return f"{stem}r", f"{stem}e"


def sealed(sealing: bytes, org_id: int, domain: str, pair: Pair) -> bytes:
    """The private halves as they are stored; they open for this organisation, domain and selector only."""
    ed = pair.ed.private_bytes_raw()
    rsa = pair.rsa.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return seal(sealing, ed + rsa, _context(org_id, domain, pair.selector))


def unsealed(
    sealing: bytes, org_id: int, domain: str, selector: str, stored: bytes
) -> tuple[RSAPrivateKey, Ed25519PrivateKey]:
    """Raises InvalidToken: another installation's, or another row's."""
    secret = unseal(sealing, stored, _context(org_id, domain, selector))
    # The check of the primes is slow and guards against keys of strangers; this one was sealed by us.
    rsa = load_der_private_key(secret[_ED_BYTES:], None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(rsa, RSAPrivateKey)
    return rsa, Ed25519PrivateKey.from_private_bytes(secret[:_ED_BYTES])


def _context(org_id: int, domain: str, selector: str) -> bytes:
    return f"dkim {org_id}/{domain}/{selector}".encode()
