"""The old wire's methods of broadcasts (contract 20.1–20.4), and two of its early days (19.6)."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import msgspec

from perigee.campaigns import broadcasts, manage, store
from perigee.campaigns.broadcasts import Broadcast
from perigee.campaigns.types import Campaign
from perigee.contacts.types import Scalar
from perigee.errors import Conflict, Invalid
from perigee.esputnik.face import Answer, Call, Query, Right, Sentence, listing, operation, page, sentence
from perigee.lib.dates import to_moment, wire
from perigee.lib.scalars import id_list, to_id, to_int, to_text

MOST_GROUPS = 500
TITLE_LENGTH = 250
MOST_PER_UNIT = 100_000_000

EXAMPLE = {
    "title": "May sale",
    "messageId": 2345678,
    "groups": [200400],
    "excludedGroups": [200401],
    "startDate": "2035-05-05T14:00",
    "batchSize": 50,
    "batchIntervalUnit": "MINUTE",
}
VIEW = {
    "broadcastId": "3459207",
    "title": "May sale",
    "messageId": "2345678",
    "groupId": "200400",
    "startDate": "2035-05-05T14:00:00",
    "batchSize": 50,
    "batchIntervalUnit": "MINUTE",
}


class WireBroadcast(msgspec.Struct, rename="camel"):
    """Numbers may be text; one segment may stand for a list of them."""

    message_id: int | str | None = None
    groups: list[int | str] | int | str | None = None
    excluded_groups: list[int | str] | int | str | None = None
    title: Scalar = None
    start_date: str | None = None
    batch_size: int | float | str | None = None
    batch_interval_unit: str | None = None
    domain: str | None = None
    app_id: str | None = None


class BroadcastView(msgspec.Struct, rename="camel", omit_defaults=True):
    """Ids are text; of several segments `groupId` has all, with commas."""

    broadcast_id: str
    title: str
    message_id: str
    group_id: str
    start_date: str | None = None
    batch_size: int | None = None
    batch_interval_unit: str | None = None


@operation(
    "POST",
    "/v1/broadcast",
    section="20.1",
    right=Right.MESSAGES,
    body=WireBroadcast,
    answer=BroadcastView,
    example=EXAMPLE,
    answer_example=VIEW,
    refusals=(404,),
)
async def create_broadcast(call: Call) -> BroadcastView:
    """Send a message to segments, now or at a time; a contact in several of them gets it once."""
    given = await call.json(WireBroadcast)
    zone = ZoneInfo(call.principal.time_zone)
    wanted = _read(given, zone)
    async with call.context.database.transaction() as conn:
        made = await broadcasts.make(
            conn,
            call.org_id,
            wanted,
            now=call.context.now(),
            created_by=call.principal.user_email,
            by=call.principal.actor,
        )
    return _view(made, zone)


@operation(
    "GET",
    "/v1/broadcast/{broadcast_id:int}",
    section="20.2",
    right=Right.MESSAGES,
    answer=BroadcastView,
    answer_example=VIEW,
    refusals=(404,),
)
async def get_broadcast(call: Call) -> BroadcastView:
    """Read a broadcast."""
    async with call.context.database.connection() as conn:
        found = await broadcasts.get(conn, call.org_id, call.path["broadcast_id"])
    return _view(found, ZoneInfo(call.principal.time_zone))


@operation(
    "DELETE",
    "/v1/broadcast/{broadcast_id:int}",
    section="20.3",
    right=Right.MESSAGES,
    answer=Sentence,
    refusals=(404,),
)
async def cancel_broadcast(call: Call) -> Answer:
    """Cancel a scheduled broadcast; one that has started is refused."""
    broadcast_id = call.path["broadcast_id"]
    async with call.context.database.transaction() as conn:
        await broadcasts.cancel(conn, call.org_id, broadcast_id)
    return sentence(f"Broadcast with id='{broadcast_id}' has been cancelled")


@operation(
    "GET",
    "/v1/broadcasts",
    section="20.4",
    right=Right.MESSAGES,
    answer=list[BroadcastView],
    query=(
        Query("startindex", int, "number of the first row, counted from 1", default=1),
        Query("maxrows", int, "rows of the page, at most 500", default=10),
    ),
    answer_example=[VIEW],
)
async def list_broadcasts(call: Call) -> Answer:
    """List broadcasts, newest first, without those that were cancelled."""
    skip, rows = page(call, default=10, most=500)
    async with call.context.database.connection() as conn:
        found = await store.list_broadcasts(conn, call.org_id, skip=skip, rows=rows)
        total = await store.count_broadcasts(conn, call.org_id)
    zone = ZoneInfo(call.principal.time_zone)
    return listing([_view(campaign, zone) for campaign in found], total)


@operation(
    "POST",
    "/v1/campaigns/{campaign_id:int}/start",
    section="19.6",
    right=Right.FULL,
    answer=Sentence,
    refusals=(404,),
)
async def start_campaign(call: Call) -> Answer:
    """Launch a campaign now, one that waits for its time too; one that runs already is left alone."""
    campaign_id = call.path["campaign_id"]
    async with call.context.database.transaction() as conn:
        try:
            await manage.launch(
                conn, call.org_id, campaign_id, at=None, now=call.context.now(), by=call.principal.actor
            )
        except Conflict as error:
            # 409 is the repeated request of this wire (contract section 4).
            raise Invalid(error.message, field="campaign_id") from None
    return sentence(f"Campaign with id='{campaign_id}' has been started")


@operation(
    "POST",
    "/v1/messages/{message_id:int}/stop",
    section="19.6",
    right=Right.FULL,
    answer=Sentence,
    refusals=(404,),
)
async def stop_message(call: Call) -> Answer:
    """Stop the campaigns that send a message, and cancel those that are going to."""
    message_id = call.path["message_id"]
    async with call.context.database.transaction() as conn:
        stopped = await manage.stop_message(conn, call.org_id, message_id)
    return sentence(f"Message with id='{message_id}' has been stopped in {len(stopped)} campaigns")


def _read(given: WireBroadcast, zone: ZoneInfo) -> Broadcast:
    message_id = to_id("messageId", given.message_id)
    if message_id is None:
        raise Invalid("messageId: is required", field="messageId")
    groups = id_list("groups", given.groups, limit=MOST_GROUPS)
    if not groups:
        raise Invalid("groups: at least one segment is required", field="groups")
    size = to_int("batchSize", given.batch_size, low=1, high=MOST_PER_UNIT)
    return Broadcast(
        message_id,
        groups,
        id_list("excludedGroups", given.excluded_groups, limit=MOST_GROUPS),
        to_text("title", given.title, limit=TITLE_LENGTH) or "",
        to_moment("startDate", given.start_date, zone),
        broadcasts.pace(size, to_text("batchIntervalUnit", given.batch_interval_unit)),
        to_text("domain", given.domain),
        to_text("appId", given.app_id),
    )


def _view(campaign: Campaign, zone: ZoneInfo) -> BroadcastView:
    return BroadcastView(
        str(campaign.campaign_id),
        campaign.title,
        str(campaign.message_id),
        ",".join(map(str, campaign.include)),
        wire(campaign.scheduled_at, zone) if campaign.scheduled_at else None,
        campaign.pace.count if campaign.pace else None,
        campaign.pace.unit if campaign.pace else None,
    )
