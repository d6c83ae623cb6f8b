"""Ids: of requests, of things in order of time, of single messages (RFC 9562)."""

from __future__ import annotations

import hmac
import os
import secrets
import time
import uuid

from perigee.lib.tokens import known


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

    UUID version 8. Of its 122 bits, 50 are an HMAC of what names the message and 72 are `send_id` (40) and `ordinal`
    (32) under a mask made from those 50, so that we can read it back (`read_message_uuid`) and nobody else can.
    """
    named = b"%d.%d.%d" % (org_id, send_id, ordinal)
    tag = int.from_bytes(hmac.digest(key, named, "sha256")[:7], "big") >> 6
    return _uuid8(tag, (send_id << 32 | ordinal) ^ _mask(key, tag))


def read_message_uuid(key: bytes, org_id: int, value: uuid.UUID) -> tuple[int, int] | None:
    """(send_id, ordinal) of a message of this organisation; None for any id that we did not make for it."""
    bits = value.int
    if bits >> 76 & 0xF != 8 or bits >> 62 & 0b11 != 0b10:
        return None
    tag = bits >> 80 << 2 | bits >> 74 & 0b11
    masked = (bits >> 64 & 0x3FF) << 62 | bits & (1 << 62) - 1
    for one in known(key):
        named = masked ^ _mask(one, tag)
        send_id, ordinal = named >> 32, named & 0xFFFFFFFF
        if message_uuid(one, org_id, send_id, ordinal) == value:
            return send_id, ordinal
    return None


def _mask(key: bytes, tag: int) -> int:
    return int.from_bytes(hmac.digest(key, b"mask.%d" % tag, "sha256")[:9], "big")


def _uuid8(tag: int, masked: int) -> uuid.UUID:
    """48 bits of the tag, the version, its last 2 bits and 10 of the rest, the variant, 62 of the rest."""
    middle = (tag & 0b11) << 10 | masked >> 62
    return uuid.UUID(int=tag >> 2 << 80 | 8 << 76 | middle << 64 | 0b10 << 62 | masked & (1 << 62) - 1)
