"""Best sellers of a data source: counted once in a while, so that a page that many visit reads a ranking and not all
orders of a month."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from perigee.db.pool import Connection
from perigee.db.queries import load

q = load(__package__)

FRESH_SECONDS: Final = 300.0


async def ensure_counted(conn: Connection, org_id: int, source_id: int, since: datetime) -> None:
    """Counts again what is older than `FRESH_SECONDS`, unless somebody else is at it: then the old ranking serves.
    Who comes while the first one is made waits for it."""
    key = {"org_id": org_id, "source_id": source_id}
    row = await (await conn.execute(q.best_sellers_age, key)).fetchone()
    if row is None or (row[0] is not None and row[0] < FRESH_SECONDS):
        return
    if row[0] is None:
        first = await (await conn.execute(q.wait_for_ranking, key)).fetchone()
        if first is None or first[0]:
            return
    elif await (await conn.execute(q.take_ranking, key)).fetchone() is None:
        return
    await conn.execute(q.clear_best_sellers, key)
    await conn.execute(q.count_best_sellers, {**key, "since": since}, prepare=False)
    await conn.execute(q.best_sellers_counted, key)
