"""/api/v4/campaigns."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from perigee.campaigns import audience, experiments, manage, progress, store
from perigee.campaigns.types import (
    AudienceCount,
    Campaign,
    CampaignCreate,
    LaunchRequest,
    Progress,
    Report,
    WinnerChoice,
)
from perigee.errors import Invalid
from perigee.http.v4 import PAGE, Call, Created, Page, Right, cursor_page, operation
from perigee.lib.dates import to_moment

OUTCOMES = ("sent", "failed", "dropped", "uncertain")


@operation(
    "POST",
    "/campaigns",
    right=Right.MESSAGES,
    body=CampaignCreate,
    answer=Campaign,
    example={
        "message_id": 1,
        "include": [1],
        "exclude": [],
        "title": "May sale",
        "pace": {"count": 1000, "unit": "HOUR"},
        "plan": {"hours": {"start": "09:00", "end": "20:00", "days": [1, 2, 3, 4, 5]}, "credits": 1},
    },
    refusals=(404,),
)
async def create_campaign(call: Call) -> Created:
    """Create a campaign as a draft."""
    wanted = await call.json(CampaignCreate)
    async with call.context.database.transaction() as connection:
        made = await manage.create(connection, call.org_id, wanted, created_by=call.principal.user_email)
    return Created(made)


@operation("GET", "/campaigns", right=Right.MESSAGES, answer=Page[Campaign], query=PAGE)
async def list_campaigns(call: Call) -> Page:
    """List campaigns, newest first."""
    before, limit = cursor_page(call)
    async with call.context.database.connection() as connection:
        rows = await store.list_campaigns(connection, call.org_id, before=before, limit=limit + 1)
    page = Page(rows[:limit])
    if len(rows) > limit:
        page.next = str(rows[limit - 1].campaign_id)
    return page


@operation("GET", "/campaigns/{campaign_id:int}", right=Right.MESSAGES, answer=Campaign)
async def get_campaign(call: Call) -> Campaign:
    """Read a campaign."""
    async with call.context.database.connection() as connection:
        return await store.get_campaign(connection, call.org_id, call.path["campaign_id"])


@operation("GET", "/campaigns/{campaign_id:int}/audience", right=Right.MESSAGES, answer=AudienceCount)
async def count_audience(call: Call) -> AudienceCount:
    """Count whom a launch at this moment would reach, and who would be dropped and why."""
    async with call.context.database.connection() as connection:
        campaign = await store.get_campaign(connection, call.org_id, call.path["campaign_id"])
        return await audience.count_campaign(connection, call.org_id, campaign, call.context.now())


@operation(
    "POST",
    "/campaigns/{campaign_id:int}/launch",
    right=Right.MESSAGES,
    body=LaunchRequest,
    answer=Campaign,
    example={"at": "2030-05-05T14:00"},
    refusals=(409,),
)
async def launch_campaign(call: Call) -> Campaign:
    """Launch now, or at a time."""
    wanted = await call.json(LaunchRequest, optional=True)
    if wanted.at is not None and not wanted.at.strip():
        # Blank elsewhere means absent; here that would send at once what was to be sent later.
        raise Invalid.of("at", wanted.at, "must be a date and time, or absent for now")
    at = to_moment("at", wanted.at, ZoneInfo(call.principal.time_zone))
    async with call.context.database.transaction() as connection:
        return await manage.launch(
            connection,
            call.org_id,
            call.path["campaign_id"],
            at=at,
            now=call.context.now(),
            by=call.principal.actor,
        )


@operation(
    "POST",
    "/campaigns/{campaign_id:int}/approve",
    right=Right.MESSAGES,
    answer=Campaign,
    refusals=(403, 409),
)
async def approve_campaign(call: Call) -> Campaign:
    """Approve a launch that somebody else asked for."""
    async with call.context.database.transaction() as connection:
        return await manage.approve(
            connection,
            call.org_id,
            call.path["campaign_id"],
            by=call.principal.actor,
            now=call.context.now(),
        )


@operation(
    "POST",
    "/campaigns/{campaign_id:int}/leave-local-time",
    right=Right.MESSAGES,
    answer=Campaign,
    refusals=(409,),
)
async def leave_local_time(call: Call) -> Campaign:
    """Send to everybody at the organisation's hour instead of their own; those who have got it already have got it."""
    async with call.context.database.transaction() as connection:
        return await manage.leave_local_time(
            connection, call.org_id, call.path["campaign_id"], now=call.context.now()
        )


@operation(
    "POST", "/campaigns/{campaign_id:int}/pause", right=Right.MESSAGES, answer=Campaign, refusals=(409,)
)
async def pause_campaign(call: Call) -> Campaign:
    """Pause: nothing new begins."""
    return await _act(call, manage.pause)


@operation(
    "POST", "/campaigns/{campaign_id:int}/resume", right=Right.MESSAGES, answer=Campaign, refusals=(409,)
)
async def resume_campaign(call: Call) -> Campaign:
    """Resume a paused campaign."""
    return await _act(call, manage.resume)


@operation(
    "POST", "/campaigns/{campaign_id:int}/stop", right=Right.MESSAGES, answer=Campaign, refusals=(409,)
)
async def stop_campaign(call: Call) -> Campaign:
    """Stop for good; who was waiting is recorded as not sent."""
    return await _act(call, manage.stop)


async def _act(call: Call, action: Any) -> Campaign:
    async with call.context.database.transaction() as connection:
        done: Campaign = await action(connection, call.org_id, call.path["campaign_id"])
        return done


@operation(
    "POST",
    "/campaigns/{campaign_id:int}/send-rest",
    right=Right.MESSAGES,
    answer=Campaign,
    refusals=(409,),
)
async def send_rest(call: Call) -> Campaign:
    """Send to those whom a finished or stopped campaign did not reach for certain; asked again, nothing more happens."""
    async with call.context.database.transaction() as connection:
        return await manage.send_rest(
            connection,
            call.org_id,
            call.path["campaign_id"],
            now=call.context.now(),
            by=call.principal.actor,
        )


@operation(
    "POST",
    "/campaigns/{campaign_id:int}/winner",
    right=Right.MESSAGES,
    body=WinnerChoice,
    answer=Campaign,
    example={"variant": 1},
    refusals=(409,),
)
async def choose_winner(call: Call) -> Campaign:
    """Choose the winner of an experiment by hand: the rest gets it now."""
    wanted = await call.json(WinnerChoice)
    async with call.context.database.transaction() as connection:
        return await experiments.choose(
            connection, call.org_id, call.path["campaign_id"], wanted.variant, now=call.context.now()
        )


@operation("GET", "/campaigns/{campaign_id:int}/progress", right=Right.MESSAGES, answer=Progress)
async def get_progress(call: Call) -> Progress:
    """How far the campaign is."""
    async with call.context.database.connection() as connection:
        return await progress.progress(connection, call.org_id, call.path["campaign_id"])


@operation("GET", "/campaigns/{campaign_id:int}/report", right=Right.MESSAGES, answer=Report)
async def get_report(call: Call) -> Report:
    """The funnel, which adds up to the chosen audience."""
    async with call.context.database.connection() as connection:
        return await progress.report(connection, call.org_id, call.path["campaign_id"])
