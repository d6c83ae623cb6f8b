"""Signed tokens (RFC 7519) that services want of us: ES256 and RS256. We read none, so nothing here verifies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from perigee.lib.tokens import encode


def es256(key: ec.EllipticCurvePrivateKey, claims: Mapping[str, Any], **header: str) -> str:
    """`key` on P-256; `header`: members beside the algorithm."""
    signed = _signed({**header, "alg": "ES256"}, claims)
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(SHA256())))
    return f"{signed}.{encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def rs256(key: rsa.RSAPrivateKey, claims: Mapping[str, Any], **header: str) -> str:
    signed = _signed({**header, "alg": "RS256"}, claims)
    return f"{signed}.{encode(key.sign(signed.encode(), padding.PKCS1v15(), SHA256()))}"


def _signed(header: Mapping[str, str], claims: Mapping[str, Any]) -> str:
    return f"{encode(msgspec.json.encode(header))}.{encode(msgspec.json.encode(claims))}"
