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
    Report,
    WinnerChoice,
)
from perigee.client.pages import cursor_list
from perigee.client.transport import Transport, json
from perigee.delivery.rules import SendingRules
from perigee.messages.utm import Utm
from perigee.reports.campaign.types import Dimension, Person, Purchase, Revenue, RevenueRules, Slice

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
    transport: Transport,
    campaign_id: int,
    *,
    outcome: str | None = None,
    engaged: str | None = None,
    limit: int | None = None,
) -> list[Person]:
    """The ledger: everybody, what became of them and what they did. `outcome`: sent, failed, dropped or uncertain;
    `engaged`: opened, clicked, unsubscribed or complained."""
    return await cursor_list(
        transport, f"{_PATH}/{campaign_id}/recipients", Person, limit=limit, outcome=outcome, engaged=engaged
    )


async def approve_campaign(transport: Transport, campaign_id: int) -> Campaign:
    """A launch that somebody else asked for goes ahead."""
    return await _act(transport, campaign_id, "approve")


async def leave_local_time(transport: Transport, campaign_id: int) -> Campaign:
    """Everybody who has not got it yet gets it at the organisation's hour."""
    return await _act(transport, campaign_id, "leave-local-time")


async def send_rest(transport: Transport, campaign_id: int) -> Campaign:
    """A new campaign with the same message to those who were waiting or are uncertain."""
    return await _act(transport, campaign_id, "send-rest")


async def choose_winner(transport: Transport, campaign_id: int, variant: int) -> Campaign:
    """Of an experiment, by hand: the rest gets it now. Variants count from 1."""
    path = f"{_PATH}/{campaign_id}/winner"
    return await transport.call("POST", path, json(Campaign), body=WinnerChoice(variant))


async def sending_rules(transport: Transport) -> SendingRules:
    """What holds for all marketing messages."""
    return await transport.call("GET", "/api/v4/sending-rules", json(SendingRules))


async def put_sending_rules(transport: Transport, wanted: SendingRules) -> SendingRules:
    """Replaces all of them."""
    return await transport.call("PUT", "/api/v4/sending-rules", json(SendingRules), body=wanted)


async def campaign_recipients_csv(
    transport: Transport, campaign_id: int, *, outcome: str | None = None, engaged: str | None = None
) -> bytes:
    """The same, all of it, as a CSV file that is safe to open in a spreadsheet."""
    path = f"{_PATH}/{campaign_id}/recipients.csv"
    query = {"outcome": outcome, "engaged": engaged}
    return await transport.call("GET", path, lambda reply: reply.body, query=query)


async def campaign_breakdown(transport: Transport, campaign_id: int, by: Dimension) -> list[Slice]:
    """The campaign's figures by domain, language, link, device, hour and so on; the largest 500."""
    return await cursor_list(transport, f"{_PATH}/{campaign_id}/breakdown", Slice, by=by)


async def campaign_revenue(transport: Transport, campaign_id: int) -> Revenue:
    """The delivered orders that the campaign brought."""
    return await transport.call("GET", f"{_PATH}/{campaign_id}/revenue", json(Revenue))


async def campaign_purchases(transport: Transport, campaign_id: int) -> list[Purchase]:
    """The latest 500 orders behind the revenue."""
    return await cursor_list(transport, f"{_PATH}/{campaign_id}/purchases", Purchase, limit=500)


async def get_revenue_rules(transport: Transport) -> RevenueRules:
    return await transport.call("GET", "/api/v4/revenue-rules", json(RevenueRules))


async def set_revenue_rules(transport: Transport, wanted: RevenueRules) -> RevenueRules:
    """When an order counts as brought by a message."""
    return await transport.call("PUT", "/api/v4/revenue-rules", json(RevenueRules), body=wanted)
