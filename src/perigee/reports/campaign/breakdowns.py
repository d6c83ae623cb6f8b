"""A campaign's figures by one thing: the domain, the link, the device, the hour. Read-only, set-based."""

from __future__ import annotations

from typing import Final, NamedTuple

from perigee.campaigns.store import get_campaign
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.reports.campaign.human import people_only
from perigee.reports.campaign.types import Dimension, Slice

q = load(__package__)

LIMIT: Final = 500


class _Hits(NamedTuple):
    """How hits are grouped: expressions over `activity a` and `send s`."""

    value: str
    statuses: tuple[str, ...] = ("READ", "CLICKED")
    about: str = "''"
    order: str = "3 desc, 1"


_LEDGER: Final[dict[str, tuple[str, str]]] = {
    # value; whether the contact is needed for it
    "domain": ("split_part(coalesce(d.address, c.email), '@', 2)", "d.address is null"),
    "language": ("d.language", "false"),
    "send": ("s.send_id::text", "false"),
}
_BY_HIT: Final[dict[str, _Hits]] = {
    "link": _Hits("a.link_no::text", ("CLICKED",), "min(a.detail)", "6 desc, 1"),
    "url": _Hits("a.detail", ("CLICKED",), order="6 desc, 1"),
    "device": _Hits("a.meta ->> 'device'"),
    "client": _Hits("a.meta ->> 'client'"),
    "os": _Hits("a.meta ->> 'os'"),
    "hour": _Hits(
        "floor(extract(epoch from a.at - s.started_at) / 3600)::int::text",
        order="min(floor(extract(epoch from a.at - s.started_at) / 3600))",
    ),
    "day": _Hits(
        "floor(extract(epoch from a.at - s.started_at) / 86400)::int::text",
        order="min(floor(extract(epoch from a.at - s.started_at) / 86400))",
    ),
}


async def breakdown(connection: Connection, org_id: int, campaign_id: int, by: Dimension) -> list[Slice]:
    """The largest 500 values. `hour` and `day` count from the start of the send. Raises NotFound."""
    await get_campaign(connection, org_id, campaign_id)
    values = {"org_id": org_id, "campaign_id": campaign_id, "limit": LIMIT}
    if by in _LEDGER:
        value, contact = _LEDGER[by]
        statement = people_only(q.by_ledger).replace("{value}", value).replace("{contact}", contact)
        rows = await (await connection.execute(statement.encode(), values)).fetchall()
        return [Slice(*row) for row in rows]
    hits = _BY_HIT[by]
    statement = people_only(q.by_hit)
    for name, text in (("value", hits.value), ("about", hits.about), ("order", hits.order)):
        statement = statement.replace("{" + name + "}", text)
    rows = await (
        await connection.execute(statement.encode(), {**values, "statuses": list(hits.statuses)})
    ).fetchall()
    return [
        Slice(value, about, opened=opened, clicked=clicked, opens=opens, clicks=clicks)
        for value, about, opened, clicked, opens, clicks in rows
    ]
