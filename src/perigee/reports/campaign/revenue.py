"""The money a campaign brought (product 9): a delivered order belongs to the message that last touched its buyer."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from perigee.campaigns.store import get_campaign
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.errors import Invalid
from perigee.lib.text import clean
from perigee.messages.contents import ALL_CONTENTS
from perigee.reports.campaign.types import Purchase, Revenue, RevenueRules, Touch

q = load(__package__)

DEFAULT: Final = RevenueRules({"email": Touch("clicked", 7)})
_STATUSES: Final = {
    "sent": ("SENT", "DELIVERED"),
    "delivered": ("DELIVERED",),
    "opened": ("READ", "CLICKED"),
    "clicked": ("CLICKED",),
}


async def rules(connection: Connection, org_id: int) -> RevenueRules:
    """As the organisation has them, the currency filled in."""
    row = await (await connection.execute(q.organisation_rules, {"org_id": org_id})).fetchone()
    assert row is not None
    currency, stored = row
    found = DEFAULT if stored is None else msgspec.convert(stored, RevenueRules)
    return found if found.currency else msgspec.structs.replace(found, currency=currency)


async def set_rules(connection: Connection, org_id: int, wanted: RevenueRules) -> RevenueRules:
    """Raises Invalid."""
    for channel in wanted.channels:
        if channel not in ALL_CONTENTS:
            raise Invalid.of("channels", channel, "must be one of " + ", ".join(ALL_CONTENTS))
    tags = [tag for tag in map(clean, wanted.exclude_tags) if tag]
    stored = msgspec.json.encode(msgspec.structs.replace(wanted, exclude_tags=tags)).decode()
    await connection.execute(q.set_rules, {"org_id": org_id, "rules": stored})
    return await rules(connection, org_id)


async def revenue(connection: Connection, org_id: int, campaign_id: int) -> Revenue:
    """As of now, by the rules as they are now. Raises NotFound."""
    found, currency = await _purchases(connection, org_id, campaign_id)
    key = {"org_id": org_id, "campaign_id": campaign_id}
    row = await (await connection.execute(q.engaged_people, key)).fetchone()
    assert row is not None
    opened, clicked = row
    total = sum((row[3] for row in found), start=0)
    return Revenue(
        campaign_id=campaign_id,
        currency=currency,
        purchases=len(found),
        buyers=len({row[2] for row in found}),
        revenue=float(total),
        average=_share(total, len(found)),
        per_open=_share(total, opened),
        per_click=_share(total, clicked),
    )


async def purchases(connection: Connection, org_id: int, campaign_id: int, *, limit: int) -> list[Purchase]:
    """The latest first. Raises NotFound."""
    found, _ = await _purchases(connection, org_id, campaign_id)
    found.sort(key=lambda row: (row[4], row[0]), reverse=True)
    return [
        Purchase(order, external, contact, float(total), ordered_at, touched_at)
        for order, external, contact, total, ordered_at, touched_at in found[:limit]
    ]


async def _purchases(connection: Connection, org_id: int, campaign_id: int) -> tuple[list[Any], str]:
    await get_campaign(connection, org_id, campaign_id)
    using = await rules(connection, org_id)
    touches = [
        (channel, status, touch.days)
        for channel, touch in using.channels.items()
        for status in _STATUSES[touch.event]
    ]
    cursor = await connection.execute(
        q.purchases,
        {
            "org_id": org_id,
            "campaign_id": campaign_id,
            "channels": [channel for channel, _, _ in touches],
            "statuses": [status for _, status, _ in touches],
            "days": [days for _, _, days in touches],
            "longest": max((days for _, _, days in touches), default=0),
            "tags": using.exclude_tags,
            "currency": using.currency,
        },
    )
    return await cursor.fetchall(), using.currency


def _share(total: Any, count: int) -> float:
    return round(float(total) / count, 4) if count else 0.0
