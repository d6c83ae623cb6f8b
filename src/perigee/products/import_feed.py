"""Reads the shop's default feed and stores its products.

The file is fetched whole and read twice: the first time only to see that all of it is good, so that half a feed
changes nothing. What the feed does not name any more counts as sold out. May run twice, from the beginning.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from datetime import datetime
from typing import IO, Final

import msgspec

from perigee.db.pool import Database
from perigee.db.queries import load
from perigee.errors import Invalid
from perigee.lib.outside import Limits, Outside
from perigee.products import store
from perigee.products.feed_xml import FeedReader
from perigee.products.types import ProductRow

q = load(__package__)

CHUNK: Final = 256 * 1024


async def import_feed(
    database: Database, outside: Outside, limits: Limits, org_id: int, now: datetime
) -> int | None:
    """How many products the feed has; None without a feed. Raises Invalid and Unreachable."""
    async with database.connection() as conn:
        row = await (await conn.execute(q.default_feed, {"org_id": org_id})).fetchone()
    if row is None:
        return None
    url: str = row[0]
    with tempfile.TemporaryFile() as file:
        await outside.download(url, file, limits=limits, field="url")
        count = 0
        async for rows in _products(file):
            count += len(rows)
        if not count:
            raise Invalid("the feed holds no products", field="url")
        async for rows in _products(file):
            dated = [msgspec.structs.replace(one, as_of=now) for one in rows]
            async with database.transaction() as conn:
                await store.upsert_products(conn, org_id, dated, source="feed")
    async with database.transaction() as conn:
        await conn.execute(q.retire_products, {"org_id": org_id, "before": now})
        values = {"org_id": org_id, "url": url, "at": now, "products": count}
        await conn.execute(q.feed_imported, values)
    return count


async def fail(database: Database, org_id: int, reason: str) -> None:
    """Notes why the default feed could not be imported; its products stay as they are."""
    async with database.transaction() as conn:
        await conn.execute(q.feed_failed, {"org_id": org_id, "error": reason})


async def _products(file: IO[bytes]) -> AsyncIterator[list[ProductRow]]:
    """From the beginning, a chunk's worth at a time. Parsing is work, so it leaves the event loop alone."""
    file.seek(0)
    reader = FeedReader()
    while chunk := file.read(CHUNK):
        if rows := await asyncio.to_thread(reader.feed, chunk):
            yield rows
    if rows := await asyncio.to_thread(reader.close):
        yield rows
