"""Ids: of requests, of sessions, of single messages."""

from __future__ import annotations

import hmac
import secrets
import uuid


def request_id() -> str:
    """16 hex characters, for one request's log lines."""
    return secrets.token_hex(8)


def message_uuid(key: bytes, org_id: int, send_id: int, ordinal: int) -> uuid.UUID:
    """The fixed id of one message: the same on every try, on every machine (reliability 12), and not to be guessed.

    UUID version 8, its bits an HMAC of what names the message.
    """
    raw = bytearray(hmac.digest(key, b"%d.%d.%d" % (org_id, send_id, ordinal), "sha256")[:16])
    raw[6] = raw[6] & 0x0F | 0x80
    raw[8] = raw[8] & 0x3F | 0x80
    return uuid.UUID(bytes=bytes(raw))
