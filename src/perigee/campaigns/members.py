"""Who is in segments, as SQL: lists and dynamic ones are one statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from perigee.db.pool import Connection
from perigee.segments.compile import Compiled, compile_ids
from perigee.segments.conditions import AnyOf
from perigee.segments.leaves.membership import SegmentLeaf
from perigee.segments.narrow import narrow
from perigee.segments.reading import read_tree

NOBODY = "select 0::bigint as contact_id where false"


async def members_sql(
    connection: Connection,
    org_id: int,
    segment_ids: Sequence[int],
    *,
    prefix: str,
    now: datetime | None = None,
) -> Compiled:
    """(a select of `contact_id`, its values): everybody alive who is in one of the segments now, once.

    The values are `org_id` and names that begin with `prefix`. A segment that is gone has nobody. Raises Invalid
    for segments that name each other in a circle. Execute it with `prepare=False`.
    """
    if not segment_ids:
        return Compiled(NOBODY, {"org_id": org_id})
    tree = AnyOf(tuple(SegmentLeaf(segment_id) for segment_id in dict.fromkeys(segment_ids)))
    reading = await narrow(connection, await read_tree(connection, org_id, tree, now or datetime.now(UTC)))
    return compile_ids(reading.tree, reading.world, prefix=prefix)
