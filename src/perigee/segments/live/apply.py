"""Works changed contacts into live segments: for each segment one statement that asks its condition of these contacts
alone, compares with who is in, and writes the difference, its history included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from perigee.db import plans as planning
from perigee.db.pool import Connection
from perigee.segments.compile import Compiled, compile_ids
from perigee.segments.live import store
from perigee.segments.live.plans import Plans
from perigee.segments.live.store import Moved


async def apply(
    conn: Connection, org_id: int, plans: Plans, asked: Mapping[int, Sequence[int]], now: datetime
) -> list[Moved]:
    """`asked`: contact ids by segment. The caller holds the organisation's lock (`store.lock_organisation`), so that no
    older answer overtakes a newer one. Returns the segments that somebody came into or left."""
    await planning.by_key(conn)
    statements = [
        _difference(plans, segment_id, ids, now) for segment_id, ids in asked.items() if segment_id in plans.plans
    ]  # fmt: skip
    async with conn.pipeline():
        cursors = [await conn.execute(sql.encode(), values, prepare=True) for sql, values in statements]
        rows = [await cursor.fetchone() for cursor in cursors]
    found = [Moved(*row) for row in rows if row is not None]
    moved = [one for one in found if one.joined or one.gone]
    if moved:
        moment = plans.world(now).moment
        await store.tally(conn, org_id, moved, moment.today, now)
    return moved


def _difference(plans: Plans, segment_id: int, ids: Sequence[int], now: datetime) -> Compiled:
    tree, world = plans.reading(segment_id, now)
    holds = compile_ids(tree, replace(world, candidates=ids))
    values: dict[str, Any] = {
        **holds.values,
        "live_segment": segment_id,
        "live_ids": list(ids),
        "live_now": now,
    }
    return Compiled(
        f"""
with holds as materialized ({holds.sql}),
was as materialized (
    select contact_id from segment_live
    where org_id = %(org_id)s::bigint and segment_id = %(live_segment)s::bigint
      and contact_id = any(%(live_ids)s::bigint[])
), gone as (
    delete from segment_live
    where org_id = %(org_id)s::bigint and segment_id = %(live_segment)s::bigint
      and contact_id in (select contact_id from was except select contact_id from holds)
    returning contact_id
), come as (
    insert into segment_live (org_id, segment_id, contact_id, since)
    select %(org_id)s::bigint, %(live_segment)s::bigint, contact_id, %(live_now)s::timestamptz
    from (select contact_id from holds except select contact_id from was) as fresh
    on conflict (org_id, segment_id, contact_id) do nothing
    returning contact_id
), told as (
    insert into segment_change (org_id, segment_id, contact_id, joined, at)
    select %(org_id)s::bigint, %(live_segment)s::bigint, contact_id, joined, %(live_now)s::timestamptz
    from (select contact_id, false from gone union all select contact_id, true from come) as moved (contact_id, joined)
    order by contact_id
)
select %(live_segment)s::bigint, (select count(*) from come), (select count(*) from gone)
""",
        values,
    )
