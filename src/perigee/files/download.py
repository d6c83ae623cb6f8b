"""A caller's file on our disk: fetched whole before anything of it is used, so that half a file changes nothing."""

from __future__ import annotations

import codecs
import hashlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO, NamedTuple

from perigee.errors import Invalid
from perigee.lib.outside import Limits, Outside, Rules, shown_link
from perigee.settings import Settings

MB = 1024 * 1024
IDLE_SECONDS = 30.0


class Downloaded(NamedTuple):
    """`file` is open at its beginning and vanishes with the context."""

    file: IO[bytes]
    digest: bytes
    """SHA-256."""


def rules(settings: Settings) -> Rules:
    return Rules.of(settings.outside_networks, settings.outside_ports)


def limits(settings: Settings, megabytes: int) -> Limits:
    return Limits(megabytes * MB, total=float(settings.download_seconds), idle=IDLE_SECONDS)


@asynccontextmanager
async def downloaded(outside: Outside, link: str, limits: Limits) -> AsyncIterator[Downloaded]:
    """A file of UTF-8 text, with or without a byte-order mark. Raises Invalid (also: empty, not UTF-8), Unreachable."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    hashed = hashlib.sha256()
    with tempfile.TemporaryFile() as file:
        async with outside.get(link, limits=limits) as reply:
            async for chunk in reply.chunks():
                _decode(decoder, chunk, link)
                hashed.update(chunk)
                file.write(chunk)
        _decode(decoder, b"", link, final=True)
        if not file.tell():
            raise Invalid.of("link", shown_link(link), "is an empty file")
        file.seek(0)
        yield Downloaded(file, hashed.digest())


def _decode(decoder: codecs.IncrementalDecoder, chunk: bytes, link: str, *, final: bool = False) -> None:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        raise Invalid.of("link", shown_link(link), "is not UTF-8 text") from None
