"""What a marketer does with a campaign: create, launch now or at a time, pause, resume, stop.

Every action may be repeated: an action whose effect is already there changes nothing and succeeds; one that the
state forbids raises Conflict and says what the state is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from perigee.campaigns import experiments, plan, rules, store, timing
from perigee.campaigns.plan import FollowUp, Plan
from perigee.campaigns.types import Campaign, CampaignCreate, State
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.delivery.hours import at_clock
from perigee.errors import Conflict, Forbidden, Invalid, NotFound
from perigee.lib.text import clean
from perigee.messages.utm import check_utm

q = load(__package__)

WAITING: tuple[State, ...] = ("awaiting_approval", "scheduled")
LAUNCHED = ("preparing", "running", "paused", "finished")


async def create(
    connection: Connection, org_id: int, wanted: CampaignCreate, *, created_by: str = ""
) -> Campaign:
    """A draft. Raises NotFound for an unknown message, Invalid for unknown segments."""
    message = await (
        await connection.execute(q.message_of_campaign, {"org_id": org_id, "message_id": wanted.message_id})
    ).fetchone()
    if message is None:
        raise NotFound(f"message {wanted.message_id} does not exist")
    if not wanted.include and not (wanted.plan and wanted.plan.follow):
        raise Invalid("include: is required where no earlier campaign is followed up", field="include")
    if missing := await store.missing_segments(connection, org_id, [*wanted.include, *wanted.exclude]):
        raise Invalid.of("include/exclude", missing[0], "is not a segment of this organisation")
    if wanted.plan is not None:
        wanted = msgspec.structs.replace(wanted, plan=plan.cleaned(wanted.plan))
        assert wanted.plan is not None
        plan.check(wanted.plan, paced=wanted.pace is not None)
        await experiments.check(connection, org_id, wanted.plan.experiment, message[0])
        if wanted.plan.follow is not None:
            await store.get_campaign(connection, org_id, wanted.plan.follow.campaign_id)
    if wanted.utm is not None:
        wanted = msgspec.structs.replace(wanted, utm=check_utm(wanted.utm))
    campaign_id = await store.insert_campaign(
        connection,
        org_id,
        wanted,
        channel=message[0],
        title=clean(wanted.title).strip() or message[1],
        created_by=created_by,
    )
    return await store.get_campaign(connection, org_id, campaign_id)


async def launch(
    connection: Connection,
    org_id: int,
    campaign_id: int,
    *,
    at: datetime | None,
    now: datetime,
    by: str | None = None,
) -> Campaign:
    """Schedules the launch; the audience is frozen when its time comes. A time in the past is refused. Without `at`
    it is now, whatever was scheduled before. Where launches are approved it waits for somebody other than `by`."""
    campaign = await store.get_campaign(connection, org_id, campaign_id, lock=True)
    if campaign.state in LAUNCHED:
        return campaign
    sending, zone = await rules.read(connection, org_id)
    start = timing.start(campaign.plan or Plan(), at, now, zone)
    if campaign.state in WAITING and at is not None and start.at == campaign.scheduled_at:
        return campaign
    changed = await store.change_state(
        connection,
        org_id,
        campaign_id,
        "awaiting_approval" if sending.approval else "scheduled",
        from_states=["draft", "held", *WAITING],
        scheduled_at=start.at,
        launched_by=by,
        local_day=start.local_day,
    )
    if not changed:
        raise _wrong_state("launched", campaign)
    return await store.get_campaign(connection, org_id, campaign_id)


async def approve(
    connection: Connection, org_id: int, campaign_id: int, *, by: str, now: datetime
) -> Campaign:
    """The launch goes ahead, at its time or, where that has passed meanwhile, now. Raises Forbidden for the one who
    asked for it."""
    campaign = await store.get_campaign(connection, org_id, campaign_id, lock=True)
    if campaign.state == "scheduled" or campaign.state in LAUNCHED:
        return campaign
    if campaign.state != "awaiting_approval" or campaign.scheduled_at is None:
        raise _wrong_state("approved", campaign)
    key = {"org_id": org_id, "campaign_id": campaign_id}
    row = await (await connection.execute(q.launched_by, key)).fetchone()
    if row is not None and row[0] == by:
        raise Forbidden("who launches a campaign cannot approve it: it takes another key or user")
    await store.change_state(
        connection,
        org_id,
        campaign_id,
        "scheduled",
        from_states=["awaiting_approval"],
        scheduled_at=max(campaign.scheduled_at, now),
    )
    return await store.get_campaign(connection, org_id, campaign_id)


async def leave_local_time(
    connection: Connection, org_id: int, campaign_id: int, *, now: datetime
) -> Campaign:
    """Everybody who has not got the message yet gets it at the hour of the organisation's time zone; when that has
    passed, now."""
    campaign = await store.get_campaign(connection, org_id, campaign_id, lock=True)
    clock = campaign.plan.local_time if campaign.plan else None
    if clock is None:
        return campaign
    if campaign.state not in ("draft", "running", "paused", *WAITING):
        raise _wrong_state("changed", campaign)
    key = {"org_id": org_id, "campaign_id": campaign_id}
    row = await (await connection.execute(q.local_day, key)).fetchone()
    at = None
    if row is not None and row[0] is not None:
        _, zone = await rules.read(connection, org_id)
        at = max(now, at_clock(row[0], clock, zone))
    if campaign.send_id is not None:
        await connection.execute(
            q.hurry_batches, {"org_id": org_id, "send_id": campaign.send_id, "at": at or now}
        )
    values = {**key, "at": at if campaign.state in WAITING else None}
    await connection.execute(q.leave_local_time, values)
    return await store.get_campaign(connection, org_id, campaign_id)


async def pause(connection: Connection, org_id: int, campaign_id: int) -> Campaign:
    """Nothing new begins; at most the messages already in flight still go."""
    campaign = await store.get_campaign(connection, org_id, campaign_id, lock=True)
    if campaign.state == "paused":
        return campaign
    if campaign.state != "running":
        raise _wrong_state("paused", campaign)
    await store.change_state(connection, org_id, campaign_id, "paused", from_states=["running"])
    await connection.execute(q.pause_send_of, {"org_id": org_id, "send_id": campaign.send_id})
    return await store.get_campaign(connection, org_id, campaign_id)


async def resume(connection: Connection, org_id: int, campaign_id: int) -> Campaign:
    campaign = await store.get_campaign(connection, org_id, campaign_id, lock=True)
    if campaign.state == "running":
        return campaign
    if campaign.state != "paused":
        raise _wrong_state("resumed", campaign)
    await store.change_state(connection, org_id, campaign_id, "running", from_states=["paused"])
    await connection.execute(q.resume_send_of, {"org_id": org_id, "send_id": campaign.send_id})
    return await store.get_campaign(connection, org_id, campaign_id)


async def stop(connection: Connection, org_id: int, campaign_id: int) -> Campaign:
    """For good. Who was still waiting is recorded as not sent because the campaign was stopped."""
    campaign = await store.get_campaign(connection, org_id, campaign_id, lock=True)
    if campaign.state in ("stopped", "cancelled"):
        return campaign
    if campaign.state in ("draft", "held", *WAITING):
        await store.change_state(
            connection, org_id, campaign_id, "cancelled", from_states=["draft", "held", *WAITING]
        )
        return await store.get_campaign(connection, org_id, campaign_id)
    if campaign.state not in ("running", "paused"):
        raise _wrong_state("stopped", campaign)
    await store.change_state(connection, org_id, campaign_id, "stopped", from_states=["running", "paused"])
    await _stop_sends(connection, org_id, [campaign.send_id] if campaign.send_id else [])
    return await store.get_campaign(connection, org_id, campaign_id)


async def stop_message(connection: Connection, org_id: int, message_id: int) -> list[int]:
    """Stops all campaigns that send this message and cancels those that are going to; drafts stay. Returns their ids.
    Raises NotFound."""
    key = {"org_id": org_id, "message_id": message_id}
    if await (await connection.execute(q.message_exists, key)).fetchone() is None:
        raise NotFound(f"message {message_id} does not exist")
    found = await (await connection.execute(q.lock_campaigns_of_message, key)).fetchall()
    ids = [campaign_id for campaign_id, _ in found]
    await connection.execute(q.stop_campaigns, {"org_id": org_id, "campaign_ids": ids})
    await _stop_sends(connection, org_id, [send_id for _, send_id in found if send_id is not None])
    return ids


async def _stop_sends(connection: Connection, org_id: int, send_ids: Sequence[int]) -> None:
    await connection.execute(q.stop_sends, {"org_id": org_id, "send_ids": list(send_ids)})
    await settle_stopped(connection, org_id, send_ids)


async def settle_stopped(
    connection: Connection, org_id: int | None = None, send_ids: Sequence[int] | None = None
) -> None:
    """Writes the ledger lines of stopped sends for batches that nobody holds; without ids, of all stopped sends."""
    ids = None if send_ids is None else list(send_ids)
    await connection.execute(q.settle_stopped, {"org_id": org_id, "send_ids": ids})


async def send_rest(
    connection: Connection, org_id: int, campaign_id: int, *, now: datetime, by: str | None = None
) -> Campaign:
    """A campaign with the same message to those whom a finished or stopped one did not reach for certain; the one that was
    made before when asked again. Raises Conflict."""
    campaign = await store.get_campaign(connection, org_id, campaign_id, lock=True)
    if campaign.send_id is None or campaign.state not in ("finished", "stopped"):
        raise Conflict(f"campaign {campaign_id} is {campaign.state}, it has no rest to be sent to")
    key = {"org_id": org_id, "campaign_id": campaign_id}
    made = await (await connection.execute(q.rest_of, key)).fetchone()
    if made is not None:
        return await store.get_campaign(connection, org_id, made[0])
    earlier = campaign.plan or Plan()
    wanted = CampaignCreate(
        message_id=campaign.message_id,
        include=[],
        exclude=campaign.exclude,
        title=campaign.title,
        pace=campaign.pace,
        app_id=campaign.app_id,
        utm=campaign.utm,
        plan=Plan(hours=earlier.hours, credits=earlier.credits, follow=FollowUp(campaign_id, "not_sent")),
    )
    rest = await create(connection, org_id, wanted)
    return await launch(connection, org_id, rest.campaign_id, at=None, now=now, by=by)


def _wrong_state(action: str, campaign: Campaign) -> Conflict:
    return Conflict(f"campaign {campaign.campaign_id} is {campaign.state}, it cannot be {action}")
