"""The file of an import: taken in piece by piece, and read from a copy on disk. Memory does not grow with it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO, Final

from perigee.db.pool import Database
from perigee.errors import Conflict, Invalid, TooLarge
from perigee.imports import store

PIECE: Final = 1 << 20
AT_ONCE: Final = 8


async def keep(
    database: Database, org_id: int, import_id: int, pieces: AsyncIterator[bytes], *, most: int
) -> int:
    """Stores the file; returns its bytes. Raises TooLarge, Invalid for an empty one, Conflict when it was cancelled
    meanwhile, and what `pieces` raises."""
    waiting = bytearray()
    size = n = 0

    async def write(data: bytes) -> None:
        async with database.transaction() as conn:
            if not await store.insert_chunk(conn, org_id, import_id, n, data):
                raise Conflict("the upload was cancelled")

    async for piece in pieces:
        size += len(piece)
        if size > most:
            raise TooLarge(f"file: larger than {most} bytes, the most that an import takes")
        waiting += piece
        while len(waiting) >= PIECE:
            await write(bytes(waiting[:PIECE]))
            del waiting[:PIECE]
            n += 1
    if waiting:
        await write(bytes(waiting))
    if not size:
        raise Invalid("file: is empty", field="file")
    return size


@asynccontextmanager
async def spooled(database: Database, org_id: int, import_id: int) -> AsyncIterator[IO[bytes]]:
    """A copy of the file that can be read from anywhere; it has no name on disk and is gone afterwards. Raises
    Conflict when the import keeps no file any more."""
    with tempfile.TemporaryFile() as file:
        n = 0
        while True:
            async with database.connection() as conn:
                pieces = await store.chunks(conn, org_id, import_id, first=n, rows=AT_ONCE)
            if not pieces:
                break
            for piece in pieces:
                await asyncio.to_thread(file.write, piece)
            n += len(pieces)
        if not n:
            raise Conflict(f"the file of import {import_id} is kept no more")
        file.seek(0)
        yield file
