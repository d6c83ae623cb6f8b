"""Tags of segments, one or many segments at a time."""

from __future__ import annotations

from collections.abc import Sequence

from perigee.db.pool import Connection
from perigee.errors import Invalid
from perigee.lib.tags import MOST, clean_tags
from perigee.segments import store


async def change(
    conn: Connection,
    org_id: int,
    segment_ids: Sequence[int],
    *,
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
) -> int:
    """How many segments there were; unknown ones are skipped. Raises Invalid."""
    now = await store.change_tags(
        conn, org_id, segment_ids, add=clean_tags("add", add), remove=clean_tags("remove", remove)
    )
    for segment_id, tags in now.items():
        if tags > MOST:
            raise Invalid(
                f"add: segment {segment_id} would have {tags} tags, the most are {MOST}", field="add"
            )
    return len(now)
