"""Whom a campaign reaches: include segments minus exclude segments, and who of them drops out and why.

Segments may be lists or dynamic; all of them are one SQL statement. The count and the launch judge by the same
rule, `delivery.suppression`; what is counted is therefore an estimate only as far as people change in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from perigee.campaigns.types import AudienceCount, Campaign
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.delivery.suppression import Drop, address_join, reason_case
from perigee.segments.compile import Compiled, compile_ids
from perigee.segments.conditions import AnyOf
from perigee.segments.leaves.membership import SegmentLeaf
from perigee.segments.narrow import narrow
from perigee.segments.people import bounded
from perigee.segments.reading import read_tree

q = load(__package__)

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


async def audience_sql(
    connection: Connection,
    org_id: int,
    include: Sequence[int],
    exclude: Sequence[int],
    *,
    prefix: str = "audience",
    now: datetime | None = None,
) -> Compiled:
    """The same for `include` without those who are in `exclude`."""
    chosen = await members_sql(connection, org_id, include, prefix=f"{prefix}_in", now=now)
    excluded = await members_sql(connection, org_id, exclude, prefix=f"{prefix}_ex", now=now)
    sql = (
        f"select chosen.contact_id from ({chosen.sql}) chosen where not exists "  # noqa: S608
        f"(select from ({excluded.sql}) excluded where excluded.contact_id = chosen.contact_id)"
    )
    return Compiled(sql, {**chosen.values, **excluded.values})


async def count_audience(
    connection: Connection,
    org_id: int,
    include: Sequence[int],
    exclude: Sequence[int],
    channel: str,
    *,
    categories: Sequence[str] = (),
    marketing: bool = True,
    app_id: str | None = None,
    now: datetime | None = None,
) -> AudienceCount:
    """What a launch would do now. `categories`: the message's; `marketing` false is transactional; `app_id`: only
    tokens of this application.

    Everybody of `include` counts as chosen; the excluded are a drop-out of their own. Reasons without anybody are
    left out. Raises Unavailable after 30 s.
    """
    chosen = await members_sql(connection, org_id, include, prefix="in", now=now)
    excluded = await members_sql(connection, org_id, exclude, prefix="ex", now=now)
    values: dict[str, Any] = {
        **chosen.values,
        **excluded.values,
        "marketing": marketing,
        "bulk": True,
        "app_id": app_id,
        "categories": list(categories),
    }
    statement = _COUNT.format(
        include=chosen.sql,
        exclude=excluded.sql,
        address_join=address_join(channel),
        reason=reason_case(channel),
    )
    async with bounded(connection):
        rows = await (await connection.execute(statement.encode(), values, prepare=False)).fetchall()
    counts: dict[str | None, int] = dict(rows)
    dropped: dict[str, int] = {
        reason.value: counts[reason.value] for reason in Drop if reason.value in counts
    }
    return AudienceCount(sum(counts.values()), counts.get(None, 0), dropped)


async def count_campaign(connection: Connection, org_id: int, campaign: Campaign) -> AudienceCount:
    """The same for a campaign, with the categories that its message has now."""
    message = await (
        await connection.execute(q.message_of_campaign, {"org_id": org_id, "message_id": campaign.message_id})
    ).fetchone()
    categories = message[3] if message else []
    return await count_audience(
        connection,
        org_id,
        campaign.include,
        campaign.exclude,
        campaign.channel,
        categories=categories,
        app_id=campaign.app_id,
    )


# The same judgement as the launch makes: of several people with one address the lowest id gets the copy.
_COUNT = f"""
with chosen as materialized (
    {{include}}
), excluded as materialized (
    {{exclude}}
), judged as (
    select c.contact_id, a.recipient, a.address,
           case when x.contact_id is not null then '{Drop.EXCLUDED}' else {{reason}} end as reason
    from chosen
    join contact c on c.org_id = %(org_id)s and c.contact_id = chosen.contact_id
    {{address_join}}
    left join excluded x on x.contact_id = c.contact_id
), deduplicated as (
    select coalesce(reason, case when row_number() over (
               partition by reason is null, address order by contact_id, recipient) > 1 then '{Drop.DUPLICATE_ADDRESS}' end) as reason
    from judged
)
select reason, count(*) from deduplicated group by reason
"""  # noqa: S608
