"""Audiences made of what became of an earlier campaign (product 7, "Extra campaign"), worked out when they are asked for."""

from __future__ import annotations

from perigee.campaigns import store
from perigee.campaigns.plan import FollowUp
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.errors import Invalid
from perigee.segments.compile import Compiled

q = load(__package__)


async def people_sql(connection: Connection, org_id: int, follow: FollowUp) -> Compiled:
    """A select of `contact_id`. Hits of machines are nobody's. Raises NotFound, and Invalid for a campaign that was not
    launched."""
    campaign = await store.get_campaign(connection, org_id, follow.campaign_id)
    if campaign.send_id is None:
        raise Invalid.of("plan.follow.campaign_id", follow.campaign_id, "was not launched yet")
    values = {
        "org_id": org_id,
        "follow_send": campaign.send_id,
        "follow_who": follow.who,
        "follow_links": follow.links,
    }
    return Compiled(q.followed, values)
