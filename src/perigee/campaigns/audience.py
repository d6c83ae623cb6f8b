"""Whom a campaign reaches, and who of those chosen drops out and why.

Segments may be lists or dynamic; everything is one SQL statement. The count and the launch judge by the same text; what
is counted is therefore an estimate only as far as people change in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from perigee.campaigns import follow, rules
from perigee.campaigns.members import members_sql
from perigee.campaigns.plan import Plan
from perigee.campaigns.strategy import strategy_sql
from perigee.campaigns.types import AudienceCount, Campaign
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.delivery.frequency import limits
from perigee.delivery.rules import SendingRules
from perigee.delivery.suppression import Drop, address_join, reason_case
from perigee.segments.compile import Compiled
from perigee.segments.limits import bounded

q = load(__package__)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What decides who is reached. `categories`, `tags`: the message's; `marketing` False is transactional; `app_id`: only
    tokens of this application; `weekday`: the ISO weekday in the organisation's zone; `send_id`: the send that this
    becomes, 0 for none yet; `seed` draws the people of the holdout and of variants, the same at every count."""

    include: Sequence[int]
    exclude: Sequence[int]
    channel: str
    categories: Sequence[str] = ()
    tags: Sequence[str] = ()
    marketing: bool = True
    app_id: str | None = None
    rules: SendingRules = field(default_factory=SendingRules)
    weekday: int = 1
    plan: Plan = field(default_factory=Plan)
    send_id: int = 0
    seed: int = 0


def of_campaign(
    campaign: Campaign,
    sending: SendingRules,
    *,
    categories: Sequence[str],
    tags: Sequence[str],
    weekday: int,
    send_id: int = 0,
) -> Choice:
    return Choice(
        include=campaign.include,
        exclude=campaign.exclude,
        channel=campaign.channel,
        categories=categories,
        tags=tags,
        app_id=campaign.app_id,
        rules=sending,
        weekday=weekday,
        plan=campaign.plan or Plan(),
        send_id=send_id,
        seed=campaign.campaign_id,
    )


async def judged_sql(
    connection: Connection, org_id: int, choice: Choice, *, now: datetime | None = None
) -> Compiled:
    """Common table expressions of which the last, `judged`, has everybody chosen, once per recipient: `contact_id`,
    `recipient`, `time_zone`, `reason` (null: will be sent to), and for experiments `place` of `people` in the order of the
    draw, counted without the holdout. Values and `prepare=False` as for `members_sql`. Raises Invalid."""
    chosen = await members_sql(connection, org_id, choice.include, prefix="in", now=now)
    excluded = await members_sql(connection, org_id, choice.exclude, prefix="ex", now=now)
    if choice.plan.follow is not None:
        chosen = _narrowed(await follow.people_sql(connection, org_id, choice.plan.follow), chosen, choice)
    rows = choice.rules.strategy if choice.marketing else []
    strategy = await strategy_sql(connection, org_id, rows, choice.tags, choice.weekday)
    often = limits(choice.rules if choice.marketing else SendingRules(), choice.channel)
    text = _JUDGED.format(
        include=chosen.sql,
        exclude=excluded.sql,
        strategy=strategy.sql,
        address_join=address_join(choice.channel),
        lately=often.join,
        reason=reason_case(choice.channel, often),
        draw=_DRAW if choice.plan.holdout or choice.plan.experiment else _NO_DRAW,
    )
    values: dict[str, Any] = {
        **chosen.values,
        **excluded.values,
        **strategy.values,
        "org_id": org_id,
        "strategy_refused": strategy.refused,
        "strategy_other": strategy.other,
        "marketing": choice.marketing,
        "bulk": True,
        "app_id": choice.app_id,
        "categories": list(choice.categories),
        "send_id": choice.send_id,
        "credits": choice.plan.credits,
        "seed": choice.seed,
        "holdout": choice.plan.holdout,
    }
    return Compiled(text, values)


def _narrowed(followed: Compiled, chosen: Compiled, choice: Choice) -> Compiled:
    if not choice.include:
        return followed
    sql = (
        f"select followed.contact_id from ({followed.sql}) followed"  # noqa: S608
        f" join ({chosen.sql}) narrowing on narrowing.contact_id = followed.contact_id"
    )
    return Compiled(sql, {**chosen.values, **followed.values})


async def count_campaign(
    connection: Connection, org_id: int, campaign: Campaign, now: datetime
) -> AudienceCount:
    """What a launch of the campaign would do now, with the categories and tags that its message has now."""
    message = await (
        await connection.execute(q.message_of_campaign, {"org_id": org_id, "message_id": campaign.message_id})
    ).fetchone()
    sending, zone = await rules.read(connection, org_id)
    choice = of_campaign(
        campaign,
        sending,
        categories=message[3] if message else [],
        tags=message[2] if message else [],
        weekday=now.astimezone(zone).isoweekday(),
    )
    return await count(connection, org_id, choice)


async def count(
    connection: Connection, org_id: int, choice: Choice, *, now: datetime | None = None
) -> AudienceCount:
    """Everybody of `include` counts as chosen; the excluded are a drop-out of their own. Reasons without anybody are left
    out. Raises Unavailable after 30 s."""
    judged = await judged_sql(connection, org_id, choice, now=now)
    statement = f"with {judged.sql} select reason, count(*) from judged group by reason"  # noqa: S608
    async with bounded(connection):
        rows = await (await connection.execute(statement.encode(), judged.values, prepare=False)).fetchall()
    counts: dict[str | None, int] = dict(rows)
    dropped: dict[str, int] = {
        reason.value: counts[reason.value] for reason in Drop if reason.value in counts
    }
    return AudienceCount(sum(counts.values()), counts.get(None, 0), dropped)


# Of several people with one address the one with the lowest id gets the copy.
_JUDGED = f"""
chosen as materialized (
    {{include}}
), excluded as materialized (
    {{exclude}}
), strategy as materialized (
    {{strategy}}
), looked_at as materialized (
    select c.contact_id, coalesce(a.recipient, c.contact_id) as recipient, a.address, c.time_zone,
           case when x.contact_id is not null then '{Drop.EXCLUDED}'
                when coalesce(y.row, %(strategy_other)s) = any(%(strategy_refused)s::int[]) then '{Drop.STRATEGY}'
                else {{reason}} end as reason
    from chosen
    join contact c on c.org_id = %(org_id)s and c.contact_id = chosen.contact_id
    {{address_join}}
    {{lately}}
    left join excluded x on x.contact_id = c.contact_id
    left join strategy y on y.contact_id = c.contact_id
    where c.deleted_at is null
), deduplicated as materialized (
    select contact_id, recipient, time_zone,
           coalesce(reason, case when row_number() over (
               partition by reason is null, address order by contact_id, recipient) > 1 then '{Drop.DUPLICATE_ADDRESS}' end) as reason
    from looked_at
), {{draw}}"""  # noqa: S608

_NO_DRAW = """judged as (
    select contact_id, recipient, time_zone, reason, null::bigint as place, null::bigint as people from deduplicated
)"""

# Exact shares by a draw that is the same whenever it is made; all devices of a person share their lot.
_DRAW = f"""drawn as materialized (
    select contact_id, recipient, time_zone, reason, case when reason is null then dense_rank() over (
        partition by reason is null order by hashint8extended(contact_id, %(seed)s), contact_id) end as place
    from deduplicated
), shared as (
    select *, round(max(place) over () * %(holdout)s::numeric / 100) as held, max(place) over () as everybody from drawn
), judged as (
    select contact_id, recipient, time_zone, case when place <= held then '{Drop.HOLDOUT}' else reason end as reason,
           (place - held - 1)::bigint as place, (everybody - held)::bigint as people
    from shared
)"""  # noqa: S608
