"""/api/v4/senders: who messages may come from."""

from __future__ import annotations

from typing import get_args

from perigee.errors import Invalid, NotFound
from perigee.http.v4 import Call, Created, Page, Query, operation
from perigee.senders import store
from perigee.senders.forms import normal
from perigee.senders.types import Sender, SenderChannel, SenderCreate


@operation(
    "POST",
    "/senders",
    body=SenderCreate,
    answer=Sender,
    example={"channel": "email", "value": '"Example Shop" <news@example.com>'},
)
async def create_sender(call: Call) -> Created:
    """Add a sender, confirmed by whoever holds a key with full access; one that is there is answered again."""
    wanted = await call.json(SenderCreate)
    value = normal(wanted.channel, wanted.value)
    async with call.context.database.transaction() as conn:
        return Created(await store.upsert_sender(conn, call.org_id, wanted.channel, value))


@operation(
    "GET",
    "/senders",
    answer=Page[Sender],
    query=(Query("channel", str, "Only senders of this channel: email, sms or viber"),),
)
async def list_senders(call: Call) -> Page[Sender]:
    """List senders, oldest first."""
    channel = call.query.get("channel") or None
    if channel is not None and channel not in get_args(SenderChannel):
        raise Invalid.of("channel", channel, "must be one of " + ", ".join(get_args(SenderChannel)))
    async with call.context.database.connection() as conn:
        return Page(await store.list_senders(conn, call.org_id, channel))


@operation("DELETE", "/senders/{sender_id:int}", refusals=(404,))
async def delete_sender(call: Call) -> None:
    """Remove a sender. Messages that name it stay; only a change of their sender must name a confirmed one."""
    sender_id = call.path["sender_id"]
    async with call.context.database.transaction() as conn:
        if not await store.delete_sender(conn, call.org_id, sender_id):
            raise NotFound(f"Sender {sender_id} is not found")
