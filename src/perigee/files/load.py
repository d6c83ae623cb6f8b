"""Loads a data file: fetched whole, then its values replace those of the last load in one transaction (contract 21.4).

So messages see the old data or the new, never half of each; a worker that is killed leaves the old, and the job is run
again. Two workers on one load take turns (`store.lock`).
"""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID

from perigee.db.pool import Database
from perigee.errors import Invalid
from perigee.files import store
from perigee.files.data_json import parts
from perigee.files.download import downloaded
from perigee.files.links import open_link
from perigee.lib.outside import Limits, Outside

SIZE: Final = 500
"""Values of one statement."""


async def load_data(
    database: Database, outside: Outside, sealing: bytes, limits: Limits, org_id: int, session_id: UUID
) -> None:
    """Raises Invalid for a file that cannot be used, Unreachable, and what the database raises."""
    async with database.transaction() as conn:
        begun = await store.begin(conn, org_id, session_id)
    if begun is None:
        return
    link = open_link(sealing, org_id, begun.link)
    async with downloaded(outside, link, limits) as got, database.transaction() as conn:
        ttl_hours = await store.lock(conn, org_id, session_id)
        if ttl_hours is None:
            return
        await store.clear(conn, org_id, begun.file_id)
        stored, refused, reason = 0, 0, "the file holds no data"
        # In a thread: parsing takes its time, and the worker's loop also sends messages.
        source = parts(got.file, begun.kind, size=SIZE)
        while (part := await asyncio.to_thread(next, source, None)) is not None:
            if part.values:
                await store.insert_values(conn, org_id, begun.file_id, part.values)
            if part.refused and not refused:
                reason = part.refused[0]
            stored += len(part.values)
            refused += len(part.refused)
        if not stored:
            raise Invalid(f"link: {reason}", field="link")
        await store.finish(
            conn,
            org_id,
            session_id,
            begun.file_id,
            elements=stored,
            ttl_hours=ttl_hours,
            description=f"{refused} entries were left out, the first because: {reason}" if refused else None,
        )
