"""Everything a database needs before the parts may use it, whatever state it is in."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

from perigee.db import partitions
from perigee.db.migrate import Migrated, migrate
from perigee.db.pool import Database


async def prepare(url: str, back: Mapping[str, int] = partitions.TABLES) -> Migrated:
    """Migrates, and makes the partitions of the coming months. Safe by several processes at once. Errors: see
    `migrate`. `back`: see `partitions.ensure`."""
    done = await asyncio.to_thread(migrate, url)
    async with (
        Database(url, size=2, name="perigee prepare") as database,
        database.transaction() as connection,
    ):
        await partitions.ensure(connection, datetime.now(UTC), back)
    return done
