"""Reading a request body: never more than the cap, never longer than the deadline (protocols 3.1)."""

from __future__ import annotations

import asyncio
import zlib
from typing import Any

from litestar import Request

from perigee.errors import Invalid, PerigeeError, TooLarge


class UnsupportedMedia(PerigeeError):
    """Content type or encoding that the method does not take → 415."""

    code = "unsupported_media_type"


class TooSlow(PerigeeError):
    """The body did not arrive in time → 408."""

    code = "too_slow"


AnyRequest = Request[Any, Any, Any]


async def read(request: AnyRequest, *, limit: int, seconds: float) -> bytes:
    """The unpacked body, at most `limit` bytes. Raises TooLarge, TooSlow, UnsupportedMedia, Invalid."""
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding not in ("identity", "gzip"):
        raise UnsupportedMedia(f"Content-Encoding '{encoding[:40]}' is not supported, use gzip or none")
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > limit:
        raise too_large(limit)
    try:
        async with asyncio.timeout(seconds):
            raw = await _gather(request, limit)
    except TimeoutError:
        raise TooSlow(f"the body did not arrive within {seconds:g} seconds") from None
    return _gunzip(raw, limit) if encoding == "gzip" else raw


async def _gather(request: AnyRequest, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def _gunzip(raw: bytes, limit: int) -> bytes:
    inflate = zlib.decompressobj(wbits=31)
    try:
        body = inflate.decompress(raw, limit + 1)
    except zlib.error:
        raise Invalid("body: is not valid gzip") from None
    if len(body) > limit:
        raise too_large(limit)
    if not inflate.eof:
        raise Invalid("body: gzip data ends early")
    return body


def too_large(limit: int) -> TooLarge:
    return TooLarge(f"body: larger than {limit} bytes, the most that this method takes")
