"""A broadcast of the old wire is a campaign that is made and launched in one step (contract 20.1–20.4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, get_args

from perigee.campaigns import manage, store
from perigee.campaigns.types import Campaign, CampaignCreate, Pace, PaceUnit
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.errors import Invalid, NotFound
from perigee.push import apps
from perigee.push.apps import AppKind
from perigee.push.domains import origin

q = load(__package__)

APPS: dict[str, AppKind] = {"mobilepush": "mobilepush", "telegram": "telegram"}
"""Channels whose broadcasts name an application, and its kind."""

MINUTE = timedelta(minutes=1)


class Broadcast(NamedTuple):
    """What a caller wants sent. `start` None is now; `domain` is for web push, `app_id` for mobile push and Telegram."""

    message_id: int
    groups: Sequence[int]
    excluded: Sequence[int] = ()
    title: str = ""
    start: datetime | None = None
    pace: Pace | None = None
    domain: str | None = None
    app_id: str | None = None


def pace(size: int | None, unit: str | None) -> Pace | None:
    """Both or none. Raises Invalid. Pure."""
    if size is None and unit is None:
        return None
    if size is None or unit is None:
        missing = "batchSize" if size is None else "batchIntervalUnit"
        raise Invalid(f"{missing}: is required beside the other half of the speed", field=missing)
    known = next((one for one in get_args(PaceUnit) if one == unit.upper()), None)
    if known is None:
        raise Invalid.of("batchIntervalUnit", unit, "must be one of " + ", ".join(get_args(PaceUnit)))
    return Pace(size, known)


def start(moment: datetime | None, now: datetime) -> datetime | None:
    """None for now. The wire's times are whole minutes, so the running minute is now; what is before it is over and
    refused. Pure."""
    if moment is None or now - MINUTE < moment <= now:
        return None
    if moment < now:
        raise Invalid.of("startDate", moment.isoformat(), "is in the past")
    return moment


async def make(
    conn: Connection,
    org_id: int,
    wanted: Broadcast,
    *,
    now: datetime,
    created_by: str = "",
    by: str | None = None,
) -> Campaign:
    """The campaign, scheduled. Raises NotFound for a message, segment, domain or application that is not there, and
    Invalid for what cannot be sent like this."""
    channel = await _channel(conn, org_id, wanted.message_id)
    if missing := await store.missing_segments(conn, org_id, [*wanted.groups, *wanted.excluded]):
        raise NotFound(f"segment {missing[0]} is not found")
    made = await manage.create(
        conn,
        org_id,
        CampaignCreate(
            message_id=wanted.message_id,
            include=list(wanted.groups),
            exclude=list(wanted.excluded),
            title=wanted.title,
            pace=wanted.pace,
            app_id=await _application(conn, org_id, channel, wanted),
        ),
        created_by=created_by,
    )
    return await manage.launch(conn, org_id, made.campaign_id, at=start(wanted.start, now), now=now, by=by)


async def get(conn: Connection, org_id: int, campaign_id: int) -> Campaign:
    """Raises NotFound, for a cancelled one too."""
    campaign = await store.get_campaign(conn, org_id, campaign_id)
    if campaign.state == "cancelled":
        raise _unknown(campaign_id)
    return campaign


async def cancel(conn: Connection, org_id: int, campaign_id: int) -> None:
    """Cancels what has not started; again without complaint. Raises NotFound, and Invalid for what has started or is
    being started at this moment."""
    state = (await store.get_campaign(conn, org_id, campaign_id)).state
    if state == "scheduled":
        # A launch may take minutes and holds the row meanwhile: that is no time to wait for.
        key = {"org_id": org_id, "campaign_id": campaign_id}
        if await (await conn.execute(q.take_due_campaign, key)).fetchone() is None:
            raise _started(campaign_id)
    elif state not in ("draft", "awaiting_approval", "held", "cancelled"):
        raise _started(campaign_id)
    await manage.stop(conn, org_id, campaign_id)


async def _channel(conn: Connection, org_id: int, message_id: int) -> str:
    key = {"org_id": org_id, "message_id": message_id}
    row = await (await conn.execute(q.message_of_campaign, key)).fetchone()
    if row is None:
        raise NotFound(f"message {message_id} is not found")
    return str(row[0])


async def _application(conn: Connection, org_id: int, channel: str, wanted: Broadcast) -> str | None:
    """Whose tokens are reached; None for channels without tokens."""
    if channel == "webpush":
        return await _webpush_application(conn, org_id, wanted.domain)
    if channel not in APPS:
        return None
    if wanted.app_id is None:
        raise Invalid(f"appId: is required for {channel}", field="appId")
    return await apps.require(conn, org_id, wanted.app_id, APPS[channel])


async def _webpush_application(conn: Connection, org_id: int, domain: str | None) -> str:
    if domain is None:
        raise Invalid("domain: is required for webpush", field="domain")
    site = origin(domain if "://" in domain else f"https://{domain}")
    app_id = await store.webpush_app(conn, org_id, site)
    if app_id is None:
        raise NotFound(f"Domain {site} is not found")
    return app_id


def _unknown(campaign_id: int) -> NotFound:
    return NotFound(f"broadcast {campaign_id} is not found")


def _started(campaign_id: int) -> Invalid:
    return Invalid(f"broadcast {campaign_id} has already started", field="broadcast_id")
