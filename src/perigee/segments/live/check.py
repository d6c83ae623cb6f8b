"""Looks now and then at what nobody tells: that what a rule names has changed, and that the block of an address ended."""

from __future__ import annotations

from datetime import datetime, timedelta

from perigee.db.pool import Connection, Database
from perigee.segments import kinds as of
from perigee.segments.live import store
from perigee.segments.live.plans import load

SECONDS = 1.0
"""How often organisations are looked for that it is time for."""
EVERY = timedelta(seconds=30)
"""How often it is time for each; at once where somebody has written a rule."""


async def check_due(database: Database, now: datetime) -> None:
    async with database.connection() as conn:
        organisations = await store.unchecked(conn, now - EVERY)
    for org_id in organisations:
        async with database.transaction() as conn:
            if await store.try_lock_organisation(conn, org_id):
                await check(conn, org_id, now)


async def check(conn: Connection, org_id: int, now: datetime) -> None:
    """Segments that read otherwise than when they were worked out are due now. The caller holds the organisation's lock."""
    version = await store.version(conn, org_id)
    plans = (await load(conn, org_id, version, now)).plans
    states = await store.states(conn, org_id)
    reshaped = {
        segment_id: plan.kinds
        for segment_id, plan in plans.items()
        if segment_id in states and states[segment_id].shape not in ("", plan.shape)
    }
    if reshaped:
        await store.reshaped(conn, org_id, reshaped, now)
    await store.note_ended_blocks(conn, org_id, of.ADDRESS, now)
    await store.look_at(conn, org_id, version, now)
