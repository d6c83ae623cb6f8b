"""The launch: freezes message and audience in one transaction.

One statement selects the segments minus exclusions, judges everybody, writes the drop-outs with their reasons into
the ledger and the rest into batches. Either all of it is there or nothing; a process that dies leaves the campaign
scheduled, and the next one launches it.
"""

from __future__ import annotations

import dataclasses
from datetime import date, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import structlog

from perigee.campaigns import audience, rules, store, timing
from perigee.campaigns.plan import Plan
from perigee.campaigns.timing import NO_WAIT, Waits
from perigee.campaigns.types import Campaign, Pace
from perigee.db.pool import Connection, Database
from perigee.db.queries import load
from perigee.delivery import freeze
from perigee.delivery.rules import Channel as RuleChannel
from perigee.delivery.rules import SendingRules
from perigee.delivery.suppression import Drop, address_join, reason_case
from perigee.errors import Invalid, PerigeeError

log = structlog.get_logger()
q = load(__package__)

UNIT = {
    "MINUTE": timedelta(minutes=1),
    "HOUR": timedelta(hours=1),
    "DAY": timedelta(days=1),
    "MONTH": timedelta(days=30),
}
TIMEOUT_MS = 600_000


async def launch_due(
    database: Database, *, now: datetime, grace: timedelta, batch_size: int, public_url: str
) -> int:
    """Launches what is scheduled and due; returns how many. A schedule missed by more than `grace` (a long outage,
    a restored backup) is held until a person decides (reliability 13)."""
    async with database.connection() as connection:
        due = await store.due_campaigns(connection)
    for org_id, campaign_id in due:
        try:
            async with database.transaction() as connection:
                await _launch(
                    connection,
                    org_id,
                    campaign_id,
                    now=now,
                    grace=grace,
                    batch_size=batch_size,
                    public_url=public_url,
                )
        except PerigeeError as error:
            async with database.transaction() as connection:
                await store.change_state(
                    connection, org_id, campaign_id, "failed", from_states=["scheduled"], error=error.message
                )
            log.warning("launch refused", campaign_id=campaign_id, error=error.message)
        except Exception:
            # Our fault or the database's: it stays scheduled, and the others are not held up.
            log.exception("launch failed", campaign_id=campaign_id)
    return len(due)


async def _launch(
    connection: Connection,
    org_id: int,
    campaign_id: int,
    *,
    now: datetime,
    grace: timedelta,
    batch_size: int,
    public_url: str,
) -> None:
    key = {"org_id": org_id, "campaign_id": campaign_id}
    taken = await (await connection.execute(q.take_due_campaign, key)).fetchone()
    if taken is None:
        return
    campaign = await store.get_campaign(connection, org_id, campaign_id, lock=True)
    if campaign.state != "scheduled" or campaign.scheduled_at is None or campaign.scheduled_at > now:
        return
    if now - campaign.scheduled_at > grace:
        await store.change_state(
            connection,
            org_id,
            campaign_id,
            "held",
            from_states=["scheduled"],
            error=f"the schedule was missed by more than {grace}: launch it by hand or stop it",
        )
        return
    await connection.execute(q.allow_long_launch, {"timeout": str(TIMEOUT_MS)})
    send_id, categories = await _freeze_message(connection, org_id, campaign, now, public_url)
    sending, zone = await rules.read(connection, org_id)
    chosen, dropped = await _freeze_audience(
        connection,
        org_id,
        campaign,
        send_id,
        categories,
        now,
        batch_size,
        _waits(campaign, sending, taken[0], zone, now),
    )
    await connection.execute(
        q.count_send, {"org_id": org_id, "send_id": send_id, "chosen": chosen, "dropped": dropped}
    )
    await connection.execute(
        q.attach_send, {"org_id": org_id, "campaign_id": campaign_id, "send_id": send_id}
    )
    log.info("campaign launched", campaign_id=campaign_id, send_id=send_id, chosen=chosen, dropped=dropped)


async def _freeze_message(
    connection: Connection, org_id: int, campaign: Campaign, now: datetime, public_url: str
) -> tuple[int, list[str]]:
    """The send with all language versions as they are now, and the message's categories. Raises Invalid when the
    message was deleted, does not compile, or no provider is set up."""
    message = await freeze.message(connection, org_id, campaign.message_id)
    if message is None:
        raise Invalid(f"message {campaign.message_id} was deleted", field="message_id")
    if campaign.utm is not None:
        message = dataclasses.replace(message, utm=campaign.utm.over(message.utm))
    send_id = await freeze.insert_send(
        connection,
        org_id,
        message,
        kind="campaign",
        started_at=now,
        campaign_id=campaign.campaign_id,
        marketing=True,
        public_url=public_url,
        title=campaign.title,
        hours=campaign.plan.hours if campaign.plan else None,
        credits=campaign.plan.credits if campaign.plan else 1,
    )
    return send_id, message.content.categories


async def _freeze_audience(
    connection: Connection,
    org_id: int,
    campaign: Campaign,
    send_id: int,
    categories: list[str],
    now: datetime,
    batch_size: int,
    waits: Waits,
) -> tuple[int, int]:
    """(chosen, dropped)."""
    include, parameters = await audience.members_sql(connection, org_id, campaign.include, prefix="in")
    exclude, more = await audience.members_sql(connection, org_id, campaign.exclude, prefix="ex")
    size, step = _pace(campaign.pace, batch_size)
    statement = _FREEZE.format(
        include=include,
        exclude=exclude,
        address_join=address_join(campaign.channel),
        reason=reason_case(campaign.channel),
    )
    values: dict[str, Any] = {
        **parameters,
        **more,
        "org_id": org_id,
        "send_id": send_id,
        "started_at": now,
        "marketing": True,
        "bulk": True,
        "app_id": campaign.app_id,
        "categories": categories,
        "size": size,
        "pace": campaign.pace.count if campaign.pace else 0,
        "step": step,
        "zones": waits.zones,
        "zone_waits": waits.seconds,
        "other_wait": waits.other,
    }
    row = await (await connection.execute(statement.encode(), values, prepare=False)).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def _waits(
    campaign: Campaign, sending: SendingRules, local_day: date | None, zone: ZoneInfo, now: datetime
) -> Waits:
    """Of a paced campaign none: when each of its steps may leave is seen when its time comes."""
    if campaign.pace is not None:
        return NO_WAIT
    plan = campaign.plan or Plan()
    allowed = [one for one in (sending.hours.get(cast("RuleChannel", campaign.channel)), plan.hours) if one]
    return timing.waits(plan, local_day, allowed, zone, now)


def _pace(pace: Pace | None, batch_size: int) -> tuple[int, timedelta]:
    """(batch size, time between two pace steps): a batch never crosses a step, so a step's messages are whole
    batches with one due time."""
    if pace is None:
        return batch_size, timedelta(0)
    return min(batch_size, pace.count), UNIT[pace.unit]


# The duplicate rule: of several people with one address the one with the lowest id gets the copy.
_FREEZE = f"""
with chosen as materialized (
    {{include}}
), excluded as materialized (
    {{exclude}}
), judged as materialized (
    select c.contact_id, coalesce(a.recipient, c.contact_id) as recipient, a.address, c.time_zone,
           case when x.contact_id is not null then '{Drop.EXCLUDED}' else {{reason}} end as reason
    from chosen
    join contact c on c.org_id = %(org_id)s and c.contact_id = chosen.contact_id
    {{address_join}}
    left join excluded x on x.contact_id = c.contact_id
    where c.deleted_at is null
), deduplicated as materialized (
    select contact_id, recipient, time_zone,
           coalesce(reason, case when row_number() over (
               partition by reason is null, address order by contact_id, recipient) > 1 then '{Drop.DUPLICATE_ADDRESS}' end) as reason
    from judged
), numbered as materialized (
    select contact_id, recipient, reason, coalesce(z.wait, %(other_wait)s) as wait,
           (row_number() over (order by reason is not null, coalesce(z.wait, %(other_wait)s), contact_id, recipient)
            - 1)::int as ordinal
    from deduplicated
    left join unnest(%(zones)s::text[], %(zone_waits)s::float8[]) as z (zone, wait) on z.zone = time_zone
), batches as (
    insert into send_batch (org_id, send_id, batch_no, recipients, ordinals, due_at)
    select %(org_id)s, %(send_id)s, row_number() over (order by step, wait, part) - 1, recipients, ordinals,
           %(started_at)s::timestamptz + step * %(step)s::interval + make_interval(secs => wait)
    from (
        select step, wait, part,
               array_agg(recipient order by ordinal) as recipients, array_agg(ordinal order by ordinal) as ordinals
        from (
            select recipient, ordinal, wait, case when %(pace)s = 0 then 0 else ordinal / %(pace)s end as step,
                   case when %(pace)s = 0 then ordinal - min(ordinal) over (partition by wait)
                        else ordinal %% %(pace)s end / %(size)s as part
            from numbered where reason is null
        ) placed
        group by step, wait, part
    ) grouped
), dropped as (
    insert into delivery (org_id, send_started_at, send_id, ordinal, contact_id, outcome, reason, at)
    select %(org_id)s, %(started_at)s, %(send_id)s, ordinal, contact_id, 'dropped', reason, now()
    from numbered where reason is not null
)
select count(*), count(reason) from numbered
"""  # noqa: S608
