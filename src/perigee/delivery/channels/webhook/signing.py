"""Signatures of Standard Webhooks 1.0: HMAC-SHA256 over id, moment and body. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import Final

PREFIX: Final = "whsec_"
SHORTEST, LONGEST = 24, 64
"""Bytes of a secret."""
RESERVED: Final = frozenset(
    {
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "content-type",
        "content-length",
        "content-encoding",
        "transfer-encoding",
        "connection",
        "host",
    }
)
"""Headers that are ours or the connection's, in lower case."""


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def read_secret(text: str) -> bytes:
    """Raises ValueError that says how a secret looks."""
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith(PREFIX) or not SHORTEST <= len(key) <= LONGEST:
        raise ValueError(f"secret must be {PREFIX} and {SHORTEST} to {LONGEST} bytes in base64")
    return key


def signed(key: bytes, iid: str, moment: int, body: bytes) -> dict[str, str]:
    """The three headers. `moment`: epoch seconds of this try; the id is the message's and stays."""
    content = f"{iid}.{moment}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return {
        "webhook-id": iid,
        "webhook-timestamp": str(moment),
        "webhook-signature": f"v1,{signature}",
    }
