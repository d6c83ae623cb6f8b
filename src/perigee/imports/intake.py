"""The body of an upload as the pieces of one file: as it is, or the first file of a form (RFC 7578)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from email.message import Message
from typing import NamedTuple

from multipart import MultipartError, MultipartSegment, PushMultipartParser

from perigee.errors import Invalid
from perigee.http.body import AnyRequest, TooSlow
from perigee.lib.text import clean_or_none

NAME_LENGTH = 255


class Incoming(NamedTuple):
    """`name`: of the file, where the form says it."""

    name: str | None
    pieces: AsyncIterator[bytes]


async def incoming(request: AnyRequest, body: bytes | None, *, seconds: float) -> Incoming:
    """`body`: what has been read before. `seconds`: how long a piece may take. Raises TooSlow, Invalid."""
    pieces = _in_time(_once(body) if body is not None else request.stream(), seconds)
    kind = Message()
    kind["content-type"] = request.headers.get("content-type", "")
    boundary = kind.get_param("boundary")
    if kind.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
        return Incoming(None, pieces)
    parts = _parts(pieces, boundary)
    async for part in parts:
        if isinstance(part, MultipartSegment) and part.filename:
            return Incoming(clean_or_none(part.filename), _of_file(parts))
    raise Invalid("file: the form holds no file", field="file")


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def _in_time(pieces: AsyncIterator[bytes], seconds: float) -> AsyncIterator[bytes]:
    """Each piece within its time: a file of hundreds of megabytes may take minutes as a whole."""
    source = aiter(pieces)
    while True:
        try:
            async with asyncio.timeout(seconds):
                piece = await anext(source)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise TooSlow(f"no part of the body arrived within {seconds:g} seconds") from None
        yield piece


async def _parts(
    pieces: AsyncIterator[bytes], boundary: str
) -> AsyncIterator[MultipartSegment | bytearray | None]:
    try:
        with PushMultipartParser(boundary, max_segment_count=20) as parser:
            async for piece in pieces:
                for part in parser.parse(piece):
                    yield part
                if parser.closed:
                    return
    except MultipartError as error:
        raise Invalid(f"body: is not a sound form: {error}", field="body") from None


async def _of_file(parts: AsyncIterator[MultipartSegment | bytearray | None]) -> AsyncIterator[bytes]:
    """Up to the end of the file; the rest of the form is read and left out."""
    ended = False
    async for part in parts:
        if part is None:
            ended = True
        elif not ended and not isinstance(part, MultipartSegment):
            yield bytes(part)
