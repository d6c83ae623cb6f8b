"""How far a campaign is, and its report. Read-only; people are counted, not hits."""

from __future__ import annotations

from typing import Any

from perigee.campaigns import experiments, store
from perigee.campaigns.plan import Goal, Plan
from perigee.campaigns.types import Campaign, GroupResult, LinkClicks, Progress, Report
from perigee.db.pool import Connection
from perigee.db.queries import load

q = load(__package__)


async def progress(connection: Connection, org_id: int, campaign_id: int) -> Progress:
    """Raises NotFound."""
    campaign = await store.get_campaign(connection, org_id, campaign_id)
    row: Any = None
    if campaign.send_id is not None:
        ids = {"org_id": org_id, "send_id": campaign.send_id}
        row = await (await connection.execute(q.progress, ids)).fetchone()
    if row is None:
        return Progress(
            campaign_id=campaign_id,
            state=campaign.state,
            chosen=0,
            dropped=0,
            sent=0,
            failed=0,
            uncertain=0,
            waiting=0,
            in_flight=0,
            retrying=0,
            rate=0.0,
            started_at=None,
            finished_at=None,
            error=campaign.error,
        )
    (
        chosen,
        dropped_at_launch,
        started,
        finished,
        _,
        error,
        sent,
        failed,
        dropped,
        uncertain,
        in_flight,
        retrying,
    ) = row
    rate = await (await connection.execute(q.recent_rate, ids)).fetchone()
    assert rate is not None
    all_dropped = dropped_at_launch + dropped
    return Progress(
        campaign_id=campaign_id,
        state=campaign.state,
        chosen=chosen,
        dropped=all_dropped,
        sent=sent,
        failed=failed,
        uncertain=uncertain,
        waiting=chosen - all_dropped - sent - failed - uncertain,
        in_flight=in_flight,
        retrying=retrying,
        rate=float(rate[0]),
        started_at=started,
        finished_at=finished,
        error=campaign.error or error,
    )


async def report(connection: Connection, org_id: int, campaign_id: int) -> Report:
    """From the ledger itself, not from counters. Raises NotFound."""
    campaign = await store.get_campaign(connection, org_id, campaign_id)
    state = await progress(connection, org_id, campaign_id)
    ids = {"org_id": org_id, "send_id": campaign.send_id}
    outcomes: dict[str, dict[str, int]] = {}
    for outcome, reason, count in await (await connection.execute(q.outcomes, ids)).fetchall():
        outcomes.setdefault(outcome, {})[reason] = count
    engaged: dict[str, int] = dict(await (await connection.execute(q.engagement, ids)).fetchall())
    by_machines: dict[str, int] = dict(await (await connection.execute(q.machine_engagement, ids)).fetchall())
    opened = await (await connection.execute(q.opened_or_clicked, ids)).fetchone()
    links = await (await connection.execute(q.link_clicks, ids)).fetchall()
    total = sum(sum(reasons.values()) for reasons in outcomes.values())
    return Report(
        campaign_id=campaign_id,
        title=campaign.title,
        state=campaign.state,
        chosen=state.chosen,
        sent=sum(outcomes.get("sent", {}).values()),
        failed=outcomes.get("failed", {}),
        bounced=dict(await (await connection.execute(q.late_bounces, ids)).fetchall()),
        uncertain=sum(outcomes.get("uncertain", {}).values()),
        waiting=state.chosen - total,
        dropped=outcomes.get("dropped", {}),
        opened=opened[0] if opened else 0,
        clicked=engaged.get("CLICKED", 0),
        unsubscribed=engaged.get("UNSUBSCRIBED", 0),
        complained=engaged.get("SPAM", 0),
        machine_opened=by_machines.get("READ", 0),
        machine_clicked=by_machines.get("CLICKED", 0),
        links=[LinkClicks(*row) for row in links],
        groups=await _groups(connection, org_id, campaign),
        variants=await experiments.results(connection, org_id, campaign.send_id),
    )


async def _groups(connection: Connection, org_id: int, campaign: Campaign) -> list[GroupResult] | None:
    plan = campaign.plan or Plan()
    if campaign.send_id is None or not (plan.holdout or plan.goal):
        return None
    goal = plan.goal or Goal()
    values = {"org_id": org_id, "send_id": campaign.send_id, "event": goal.event, "days": goal.days}
    rows = await (await connection.execute(q.group_results, values)).fetchall()
    found = {row[0]: row[1:] for row in rows}
    names = ("sent", "holdout") if plan.holdout else ("sent",)
    return [GroupResult(name, *found.get(name, (0, 0))) for name in names]
