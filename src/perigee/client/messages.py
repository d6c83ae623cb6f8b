"""Messages of every channel. `content` holds the channel's members in the wire's names (from, subject, htmlText …)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from perigee.client.pages import cursor_list
from perigee.client.transport import Transport, json
from perigee.messages.types import Message, MessageCreate, MessageUpdate
from perigee.messages.utm import Utm


async def create_message(
    transport: Transport,
    channel: str,
    name: str,
    content: Mapping[str, Any],
    *,
    language: str | None = None,
    translations: Mapping[str, Mapping[str, Any]] | None = None,
    tags: Sequence[str] = (),
    categories: Sequence[str] = (),
    utm: Utm | None = None,
) -> Message:
    """`language` is that of `content`; `translations` are the other versions by language, members that they do not
    name are those of `content`. `categories`: keys of subscription categories. `utm`: how links are tagged."""
    wanted = MessageCreate(
        channel=channel,  # type: ignore[arg-type]  # the server names the channels there are
        name=name,
        content=dict(content),
        language=language,
        tags=list(tags),
        subscriptions_keys=list(categories),
        translations={code: dict(members) for code, members in (translations or {}).items()},
        utm=utm or Utm(),
    )
    return await transport.call("POST", "/api/v4/messages", json(Message), body=wanted)


async def get_message(transport: Transport, message_id: int) -> Message:
    return await transport.call("GET", f"/api/v4/messages/{message_id}", json(Message))


async def change_message(transport: Transport, message_id: int, *, utm: Utm) -> Message:
    """How links are tagged in what is sent from now on."""
    wanted = MessageUpdate(utm=utm)
    return await transport.call("PATCH", f"/api/v4/messages/{message_id}", json(Message), body=wanted)


async def list_messages(
    transport: Transport, *, channel: str | None = None, search: str | None = None, limit: int | None = None
) -> list[Message]:
    """Newest first; `search` is part of the name."""
    return await cursor_list(
        transport, "/api/v4/messages", Message, limit=limit, channel=channel, search=search
    )


async def change_message_tags(
    transport: Transport, message_ids: Sequence[int], *, add: Sequence[str] = (), remove: Sequence[str] = ()
) -> int:
    """How many messages there were."""
    body = {"message_ids": list(message_ids), "add": list(add), "remove": list(remove)}
    answer = await transport.call(
        "POST", "/api/v4/messages/tags", json(dict[str, int]), body=body, repeatable=True
    )
    return answer["messages"]
