"""What a marketer does with a campaign: create, launch now or at a time, pause, resume, stop.

Every action may be repeated: an action whose effect is already there changes nothing and succeeds; one that the
state forbids raises Conflict and says what the state is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from perigee.campaigns import store
from perigee.campaigns.types import Campaign, CampaignCreate
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.errors import Conflict, Invalid, NotFound
from perigee.lib.text import clean
from perigee.messages.utm import check_utm

q = load(__package__)

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
    if missing := await store.missing_segments(connection, org_id, [*wanted.include, *wanted.exclude]):
        raise Invalid.of("include/exclude", missing[0], "is not a segment of this organisation")
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
    connection: Connection, org_id: int, campaign_id: int, *, at: datetime | None, now: datetime
) -> Campaign:
    """Schedules the launch; the audience is frozen when its time comes. A time in the past is refused. Without `at`
    it is now, whatever was scheduled before."""
    campaign = await store.get_campaign(connection, org_id, campaign_id, lock=True)
    if campaign.state in LAUNCHED or (campaign.state == "scheduled" and at == campaign.scheduled_at):
        return campaign
    if at is not None and at < now:
        raise Invalid.of("at", at.astimezone(UTC).isoformat(), "is in the past")
    changed = await store.change_state(
        connection,
        org_id,
        campaign_id,
        "scheduled",
        from_states=["draft", "held", "scheduled"],
        scheduled_at=at or now,
    )
    if not changed:
        raise _wrong_state("launched", campaign)
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
    if campaign.state in ("draft", "scheduled", "held"):
        await store.change_state(
            connection, org_id, campaign_id, "cancelled", from_states=["draft", "scheduled", "held"]
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


def _wrong_state(action: str, campaign: Campaign) -> Conflict:
    return Conflict(f"campaign {campaign.campaign_id} is {campaign.state}, it cannot be {action}")
