"""Typed access to campaigns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from perigee.campaigns.plan import Plan
from perigee.campaigns.types import Campaign, CampaignCreate, Pace, State
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.errors import NotFound
from perigee.messages.utm import Utm

q = load(__package__)


def _campaign(row: tuple[Any, ...]) -> Campaign:
    (
        campaign_id,
        title,
        message_id,
        channel,
        include,
        exclude,
        state,
        at,
        count,
        unit,
        send_id,
        error,
        created_at,
        updated_at,
        app_id,
        utm,
        plan,
    ) = row
    pace = Pace(count, unit) if count else None
    return Campaign(
        campaign_id,
        title,
        message_id,
        channel,
        include,
        exclude,
        state,
        at,
        pace,
        send_id,
        error,
        created_at,
        updated_at,
        app_id,
        None if utm is None else msgspec.convert(utm, Utm),
        None if plan is None else msgspec.convert(plan, Plan),
    )


async def insert_campaign(
    connection: Connection, org_id: int, wanted: CampaignCreate, *, channel: str, title: str, created_by: str
) -> int:
    row = await (
        await connection.execute(
            q.insert_campaign,
            {
                "org_id": org_id,
                "title": title,
                "message_id": wanted.message_id,
                "channel": channel,
                "include": wanted.include,
                "exclude": wanted.exclude,
                "pace_count": wanted.pace.count if wanted.pace else None,
                "pace_unit": wanted.pace.unit if wanted.pace else None,
                "created_by": created_by,
                "app_id": wanted.app_id,
                "utm": None if wanted.utm is None else msgspec.json.encode(wanted.utm).decode(),
                "plan": None if wanted.plan is None else msgspec.json.encode(wanted.plan).decode(),
            },
        )
    ).fetchone()
    assert row is not None
    return int(row[0])


async def get_campaign(
    connection: Connection, org_id: int, campaign_id: int, *, lock: bool = False
) -> Campaign:
    """Raises NotFound. `lock`: nobody else changes its state until the transaction ends."""
    query = q.lock_campaign if lock else q.get_campaign
    row = await (await connection.execute(query, {"org_id": org_id, "campaign_id": campaign_id})).fetchone()
    if row is None:
        raise NotFound(f"campaign {campaign_id} does not exist")
    return _campaign(row)


async def list_campaigns(connection: Connection, org_id: int, *, before: int, limit: int) -> list[Campaign]:
    cursor = await connection.execute(q.list_campaigns, {"org_id": org_id, "before": before, "limit": limit})
    return [_campaign(row) for row in await cursor.fetchall()]


async def list_broadcasts(connection: Connection, org_id: int, *, skip: int, rows: int) -> list[Campaign]:
    """Newest first, without the cancelled ones."""
    cursor = await connection.execute(q.list_broadcasts, {"org_id": org_id, "skip": skip, "rows": rows})
    return [_campaign(row) for row in await cursor.fetchall()]


async def count_broadcasts(connection: Connection, org_id: int) -> int:
    row = await (await connection.execute(q.count_broadcasts, {"org_id": org_id})).fetchone()
    assert row is not None
    return int(row[0])


async def webpush_app(connection: Connection, org_id: int, domain: str) -> str | None:
    """What tokens of this web-push domain carry as their application; None when there is no such domain."""
    values = {"org_id": org_id, "domain": domain}
    row = await (await connection.execute(q.webpush_app, values)).fetchone()
    return None if row is None else str(row[0])


async def missing_segments(connection: Connection, org_id: int, ids: Sequence[int]) -> list[int]:
    cursor = await connection.execute(q.existing_segments, {"org_id": org_id, "ids": list(ids)})
    return sorted(set(ids) - {row[0] for row in await cursor.fetchall()})


async def change_state(
    connection: Connection,
    org_id: int,
    campaign_id: int,
    state: State,
    *,
    from_states: Sequence[State],
    scheduled_at: datetime | None = None,
    error: str | None = None,
    launched_by: str | None = None,
    local_day: date | None = None,
) -> bool:
    """Was the campaign in one of `from_states`, and so ours to change?"""
    cursor = await connection.execute(
        q.change_state,
        {
            "org_id": org_id,
            "campaign_id": campaign_id,
            "state": state,
            "from_states": list(from_states),
            "scheduled_at": scheduled_at,
            "error": error,
            "launched_by": launched_by,
            "local_day": local_day,
        },
    )
    return await cursor.fetchone() is not None


async def due_campaigns(connection: Connection) -> list[tuple[int, int]]:
    """(org_id, campaign_id) of schedules whose time has come."""
    return [(row[0], row[1]) for row in await (await connection.execute(q.due_campaigns)).fetchall()]
