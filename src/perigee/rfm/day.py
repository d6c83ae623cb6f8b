"""What a worker does for the grids: the columns of a new day, and the mails opened since it looked last."""

from __future__ import annotations

from datetime import date, datetime

from perigee.db import plans
from perigee.db.pool import Database
from perigee.reports.store import settled_until
from perigee.rfm import store
from perigee.rfm.cells import Grid
from perigee.rfm.moves import tell
from perigee.rfm.place import place_buyers, place_readers
from perigee.segments import kinds
from perigee.segments.live.notes import changed

CHUNK = 2000
"""Contacts of one transaction; in each column."""
HITS = 10_000
"""Opens and clicks looked through in one transaction."""


async def keep(database: Database, now: datetime) -> None:
    """One round over all organisations, a chunk per transaction. Idle, it is two statements."""
    async with database.connection() as conn:
        behind = await store.grids_behind(conn, now)
    for org_id, grid, day in behind:
        await begin(database, org_id, grid, day)
    async with database.connection() as conn:
        unseen = await store.mail_behind(conn)
    for org_id in unseen:
        await see(database, org_id)


async def begin(database: Database, org_id: int, grid: Grid, day: date) -> None:
    """Makes `day` the grid's day, and moves on whom the days carried into another column."""
    if grid == "sales":
        await _fill(database, org_id)
    async with database.transaction() as conn:
        await store.begin_day(conn, org_id, grid, day)
    moved = True
    while moved:
        async with database.transaction() as conn:
            await plans.by_key(conn)
            moves = await store.move_on(conn, org_id, grid, day, limit=CHUNK)
            await tell(conn, org_id, grid, moves)
            await changed(conn, org_id, [one.contact_id for one in moves], kinds.RFM)
            moved = bool(moves)


async def _fill(database: Database, org_id: int) -> None:
    """Places everybody who bought before there was a grid."""
    behind = 0
    while True:
        async with database.transaction() as conn:
            await plans.by_key(conn)
            ids = await store.facts_behind(conn, org_id, behind, limit=CHUNK)
            if not ids:
                return
            await place_buyers(conn, org_id, ids)
            await changed(conn, org_id, ids, kinds.RFM)
            behind = ids[-1]


async def see(database: Database, org_id: int) -> None:
    """Places everybody who opened or clicked since the organisation's mark."""
    hits = HITS
    while hits == HITS:
        async with database.transaction() as conn:
            until = await settled_until(conn)
            await plans.by_key(conn)
            seen = await store.lock_mail(conn, org_id)
            found = await store.opened(conn, org_id, seen, until, limit=HITS)
            if found is None:
                return
            await place_readers(conn, org_id, found.contact_ids)
            await store.note_seen(conn, org_id, found.mark)
            hits = found.hits
