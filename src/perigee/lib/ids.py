"""Ids: of requests, of things in order of time, of single messages (RFC 9562)."""

from __future__ import annotations

import hmac
import os
import secrets
import time
import uuid


def request_id() -> str:
    """16 hex characters, for one request's log lines."""
    return secrets.token_hex(8)


def uuid7(nanoseconds: int | None = None) -> uuid.UUID:
    """A UUID that sorts by time, so new rows land at the end of an index: 48 bits of milliseconds, 12 bits of the
    fraction (a quarter of a microsecond), 62 random bits. `nanoseconds` since 1970 instead of now."""
    milliseconds, rest = divmod(time.time_ns() if nanoseconds is None else nanoseconds, 1_000_000)
    fraction = rest * 4096 // 1_000_000
    random = int.from_bytes(os.urandom(8), "big") >> 2
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random)


def message_uuid(key: bytes, org_id: int, send_id: int, ordinal: int) -> uuid.UUID:
    """The fixed id of one message: the same on every try, on every machine (reliability 12), and not to be guessed.

    UUID version 8, its bits an HMAC of what names the message.
    """
    raw = bytearray(hmac.digest(key, b"%d.%d.%d" % (org_id, send_id, ordinal), "sha256")[:16])
    raw[6] = raw[6] & 0x0F | 0x80
    raw[8] = raw[8] & 0x3F | 0x80
    return uuid.UUID(bytes=bytes(raw))
