"""The people of a segment, as recipients of a call (contract 19.3, 19.4, 19.6)."""

from __future__ import annotations

from datetime import datetime

from perigee.db.pool import Connection
from perigee.errors import Invalid
from perigee.segments import people


async def members(conn: Connection, org_id: int, segment_id: int, now: datetime, *, most: int) -> list[int]:
    """Contact ids. Raises NotFound, and Invalid when there are more than `most`: that is work for a campaign."""
    found = await people.members(conn, org_id, segment_id, now, rows=most + 1)
    if len(found) > most:
        raise Invalid.of(
            "groupId", segment_id, f"has more than {most} people, the most for one call; use a broadcast"
        )
    return found
