"""Who messages may come from."""

from __future__ import annotations

from perigee.client.pages import cursor_list
from perigee.client.transport import Transport, json, nothing
from perigee.senders.types import Sender, SenderChannel, SenderCreate


async def add_sender(transport: Transport, channel: SenderChannel, value: str) -> Sender:
    """`value` is `"Name" <address>` for email, a name or number for SMS. One that is there is answered again."""
    wanted = SenderCreate(channel, value)
    return await transport.call("POST", "/api/v4/senders", json(Sender), body=wanted)


async def list_senders(transport: Transport) -> list[Sender]:
    """Oldest first."""
    return await cursor_list(transport, "/api/v4/senders", Sender)


async def delete_sender(transport: Transport, sender_id: int) -> None:
    """Messages that name it stay."""
    await transport.call("DELETE", f"/api/v4/senders/{sender_id}", nothing)
