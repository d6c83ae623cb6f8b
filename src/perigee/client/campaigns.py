"""Campaigns: one message to the people of segments."""

from __future__ import annotations

from collections.abc import Sequence

from perigee.campaigns.plan import Plan
from perigee.campaigns.types import (
    AudienceCount,
    Campaign,
    CampaignCreate,
    LaunchRequest,
    Pace,
    Progress,
    Recipient,
    Report,
)
from perigee.client.pages import cursor_list
from perigee.client.transport import Transport, json
from perigee.delivery.rules import SendingRules
from perigee.messages.utm import Utm

_PATH = "/api/v4/campaigns"


async def create_campaign(
    transport: Transport,
    message_id: int,
    include: Sequence[int],
    *,
    exclude: Sequence[int] = (),
    title: str = "",
    pace: Pace | None = None,
    utm: Utm | None = None,
    plan: Plan | None = None,
) -> Campaign:
    """A draft. `include` and `exclude` are ids of segments; `utm` goes before the message's."""
    wanted = CampaignCreate(
        message_id=message_id,
        include=list(include),
        exclude=list(exclude),
        title=title,
        pace=pace,
        utm=utm,
        plan=plan,
    )
    return await transport.call("POST", _PATH, json(Campaign), body=wanted)


async def get_campaign(transport: Transport, campaign_id: int) -> Campaign:
    return await transport.call("GET", f"{_PATH}/{campaign_id}", json(Campaign))


async def list_campaigns(transport: Transport, *, limit: int | None = None) -> list[Campaign]:
    """Newest first."""
    return await cursor_list(transport, _PATH, Campaign, limit=limit)


async def campaign_audience(transport: Transport, campaign_id: int) -> AudienceCount:
    """Whom a launch at this moment would reach, and who would be dropped and why."""
    return await transport.call("GET", f"{_PATH}/{campaign_id}/audience", json(AudienceCount))


async def launch_campaign(transport: Transport, campaign_id: int, *, at: str | None = None) -> Campaign:
    """Now, or at a date and time (`2025-05-04T10:00`, in the organisation's time zone unless it has an offset)."""
    return await transport.call(
        "POST", f"{_PATH}/{campaign_id}/launch", json(Campaign), body=LaunchRequest(at=at)
    )


async def pause_campaign(transport: Transport, campaign_id: int) -> Campaign:
    """Nothing new begins until it is resumed."""
    return await _act(transport, campaign_id, "pause")


async def resume_campaign(transport: Transport, campaign_id: int) -> Campaign:
    return await _act(transport, campaign_id, "resume")


async def stop_campaign(transport: Transport, campaign_id: int) -> Campaign:
    """For good; who was waiting is recorded as not sent."""
    return await _act(transport, campaign_id, "stop")


async def _act(transport: Transport, campaign_id: int, what: str) -> Campaign:
    return await transport.call("POST", f"{_PATH}/{campaign_id}/{what}", json(Campaign))


async def campaign_progress(transport: Transport, campaign_id: int) -> Progress:
    return await transport.call("GET", f"{_PATH}/{campaign_id}/progress", json(Progress))


async def campaign_report(transport: Transport, campaign_id: int) -> Report:
    return await transport.call("GET", f"{_PATH}/{campaign_id}/report", json(Report))


async def campaign_recipients(
    transport: Transport, campaign_id: int, *, outcome: str | None = None, limit: int | None = None
) -> list[Recipient]:
    """The ledger: everybody and what became of them. `outcome`: sent, failed, dropped or uncertain."""
    return await cursor_list(
        transport, f"{_PATH}/{campaign_id}/recipients", Recipient, limit=limit, outcome=outcome
    )


async def approve_campaign(transport: Transport, campaign_id: int) -> Campaign:
    """A launch that somebody else asked for goes ahead."""
    return await _act(transport, campaign_id, "approve")


async def leave_local_time(transport: Transport, campaign_id: int) -> Campaign:
    """Everybody who has not got it yet gets it at the organisation's hour."""
    return await _act(transport, campaign_id, "leave-local-time")


async def sending_rules(transport: Transport) -> SendingRules:
    """What holds for all marketing messages."""
    return await transport.call("GET", "/api/v4/sending-rules", json(SendingRules))


async def put_sending_rules(transport: Transport, wanted: SendingRules) -> SendingRules:
    """Replaces all of them."""
    return await transport.call("PUT", "/api/v4/sending-rules", json(SendingRules), body=wanted)
