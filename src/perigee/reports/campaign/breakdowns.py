"""A campaign's figures by one thing: the domain, the link, the device, the hour. Read-only, set-based."""

from __future__ import annotations

from typing import Final

from perigee.campaigns.store import get_campaign
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.reports.campaign.types import Dimension, Slice

q = load(__package__)

LIMIT: Final = 500
LEDGER: Final[frozenset[Dimension]] = frozenset({"domain", "language", "send"})
"""What every chosen recipient has; the other dimensions group hits."""
CLICKS: Final[frozenset[Dimension]] = frozenset({"link", "url"})


async def breakdown(connection: Connection, org_id: int, campaign_id: int, by: Dimension) -> list[Slice]:
    """The largest 500 values. `hour` and `day` count from the start of the send. Raises NotFound."""
    await get_campaign(connection, org_id, campaign_id)
    values = {"org_id": org_id, "campaign_id": campaign_id, "by": by, "limit": LIMIT}
    if by in LEDGER:
        rows = await (await connection.execute(q.by_ledger, values)).fetchall()
        return [Slice(*row) for row in rows]
    statuses = ["CLICKED"] if by in CLICKS else ["READ", "CLICKED"]
    rows = await (await connection.execute(q.by_hit, {**values, "statuses": statuses})).fetchall()
    return [
        Slice(value, about, opened=opened, clicked=clicked, opens=opens, clicks=clicks)
        for value, about, opened, clicked, opens, clicks in rows
    ]
