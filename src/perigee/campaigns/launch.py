"""The launch: freezes message and audience in one transaction.

One statement selects the segments minus exclusions, judges everybody, writes the drop-outs with their reasons into
the ledger and the rest into batches. Either all of it is there or nothing; a process that dies leaves the campaign
scheduled, and the next one launches it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import structlog

from perigee.campaigns import audience, experiments, rules, store, timing
from perigee.campaigns.audience import Choice
from perigee.campaigns.plan import Plan
from perigee.campaigns.timing import NO_WAIT, Waits
from perigee.campaigns.types import Campaign, Pace
from perigee.db.pool import Connection, Database
from perigee.db.queries import load
from perigee.delivery import freeze
from perigee.delivery.freeze import Frozen
from perigee.delivery.rules import Channel as RuleChannel
from perigee.delivery.rules import SendingRules
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
    send_id, message = await _freeze_message(connection, org_id, campaign, now, public_url)
    sending, zone = await rules.read(connection, org_id)
    choice = audience.of_campaign(
        campaign,
        sending,
        categories=message.content.categories,
        tags=message.tags,
        weekday=now.astimezone(zone).isoweekday(),
        send_id=send_id,
    )
    digests = await experiments.freeze_variants(connection, org_id, choice.plan, message, public_url)
    chosen, dropped = await _freeze_audience(
        connection,
        org_id,
        campaign,
        choice,
        now,
        batch_size,
        _waits(campaign, sending, taken[0], zone, now),
        digests,
    )
    await experiments.begin(connection, org_id, send_id, choice.plan, now)
    await connection.execute(
        q.count_send, {"org_id": org_id, "send_id": send_id, "chosen": chosen, "dropped": dropped}
    )
    await connection.execute(
        q.attach_send, {"org_id": org_id, "campaign_id": campaign_id, "send_id": send_id}
    )
    log.info("campaign launched", campaign_id=campaign_id, send_id=send_id, chosen=chosen, dropped=dropped)


async def _freeze_message(
    connection: Connection, org_id: int, campaign: Campaign, now: datetime, public_url: str
) -> tuple[int, Frozen]:
    """The send with all language versions as they are now, and the message. Raises Invalid when the
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
    return send_id, message


async def _freeze_audience(
    connection: Connection,
    org_id: int,
    campaign: Campaign,
    choice: Choice,
    now: datetime,
    batch_size: int,
    waits: Waits,
    digests: Sequence[bytes],
) -> tuple[int, int]:
    """(chosen, dropped)."""
    judged = await audience.judged_sql(connection, org_id, choice)
    size, step = _pace(campaign.pace, batch_size)
    values: dict[str, Any] = {
        **judged.values,
        "started_at": now,
        "size": size,
        "pace": campaign.pace.count if campaign.pace else 0,
        "step": step,
        "zones": waits.zones,
        "zone_waits": waits.seconds,
        "other_wait": waits.other,
        **experiments.launch_values(choice.plan.experiment, digests),
    }
    row = await (
        await connection.execute(_FREEZE.replace("{judged}", judged.sql).encode(), values, prepare=False)
    ).fetchone()
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


_FREEZE = """
with {judged}, numbered as materialized (
    select *, (row_number() over (order by reason is not null, variant, wait, contact_id, recipient) - 1)::int as ordinal
    from (
        select contact_id, recipient, reason, coalesce(z.wait, %(other_wait)s) as wait,
               case when %(variants)s > 0 and place < ceil(people * %(share)s / 100.0)
                    then place %% %(variants)s + 1 else 0 end as variant
        from judged
        left join unnest(%(zones)s::text[], %(zone_waits)s::float8[]) as z (zone, wait) on z.zone = time_zone
    ) divided
), batches as (
    insert into send_batch (org_id, send_id, batch_no, recipients, ordinals, due_at)
    select %(org_id)s, %(send_id)s, row_number() over (order by step, wait, variant, part) - 1, recipients, ordinals,
           -- The rest of an experiment waits for its winner.
           case when %(variants)s > 0 and variant = 0 then 'infinity'
                else %(started_at)s::timestamptz + step * %(step)s::interval + make_interval(secs => wait) end
    from (
        select step, wait, variant, part,
               array_agg(recipient order by ordinal) as recipients, array_agg(ordinal order by ordinal) as ordinals
        from (
            select recipient, ordinal, wait, variant,
                   case when %(pace)s = 0 then 0 else ordinal / %(pace)s end as step,
                   case when %(pace)s = 0 then ordinal - min(ordinal) over (partition by variant, wait)
                        else ordinal %% %(pace)s end / %(size)s as part
            from numbered where reason is null
        ) placed
        group by step, wait, variant, part
    ) grouped
), dropped as (
    insert into delivery (org_id, send_started_at, send_id, ordinal, contact_id, outcome, reason, at)
    select %(org_id)s, %(started_at)s, %(send_id)s, ordinal, contact_id, 'dropped', reason, now()
    from numbered where reason is not null
), told as (
    -- Of live segments, as a sender does it (`commit_window`).
    insert into segment_dirty (org_id, lane, contact_id, kinds)
    select %(org_id)s, 1, contact_id, 192 from numbered, segment_watch w
    where reason is not null and w.org_id = %(org_id)s and w.kinds & 192 <> 0
), variants as (
    insert into send_variant (org_id, send_id, variant, name, first_ordinal, last_ordinal, content_digest)
    select %(org_id)s, %(send_id)s, v.number, v.name, part.first, part.last, v.digest
    from unnest(%(variant_numbers)s::int[], %(variant_names)s::text[], %(variant_digests)s::bytea[])
         as v (number, name, digest)
    left join lateral (
        select min(ordinal) as first, max(ordinal) as last from numbered where reason is null and variant = v.number
    ) part on true
)
select count(*), count(reason) from numbered
"""
