"""/api/v4/sandbox: what the sandbox kept, for programs."""

from __future__ import annotations

from perigee.delivery.channels.sandbox.outbox import (
    Kept,
    Letter,
    get_message,
    headline,
    list_messages,
    open_letter,
    readable,
)
from perigee.delivery.channels.sandbox.types import SandboxLetter, SandboxMessage
from perigee.http.v4 import PAGE, Call, Page, Query, Right, cursor_page, operation
from perigee.lib.scalars import to_id
from perigee.lib.text import clean_or_none


@operation(
    "GET",
    "/sandbox",
    right=Right.FULL,
    answer=Page[SandboxMessage],
    query=(
        Query("channel", str, "messages of one channel"),
        Query("address", str, "messages to one address"),
        Query("send_id", int, "messages of one send"),
        *PAGE,
    ),
)
async def list_sandbox_messages(call: Call) -> Page:
    """List what went to the sandbox, newest first; `channel`, `address` and `send_id` narrow."""
    before, limit = cursor_page(call)
    async with call.context.database.connection() as connection:
        kept = await list_messages(
            connection,
            call.org_id,
            before=before or None,
            channel=clean_or_none(call.query.get("channel")),
            address=(clean_or_none(call.query.get("address")) or "").casefold() or None,
            send_id=to_id("send_id", call.query.get("send_id")),
            limit=limit + 1,
        )
    page = Page([_line(one) for one in kept[:limit]])
    if len(kept) > limit:
        page.next = str(kept[limit - 1].sandbox_id)
    return page


@operation("GET", "/sandbox/{sandbox_id:int}", right=Right.FULL, answer=SandboxLetter)
async def get_sandbox_message(call: Call) -> SandboxLetter:
    """Read one message of the sandbox, taken apart."""
    async with call.context.database.connection() as connection:
        kept = await get_message(connection, call.org_id, call.path["sandbox_id"])
    if kept.channel == "email":
        letter = open_letter(kept.body)
    else:
        letter = Letter(headers=[], subject=headline(kept), text=readable(kept), html="")
    return SandboxLetter(
        kept.sandbox_id,
        kept.send_id,
        kept.contact_id,
        kept.channel,
        kept.address,
        kept.sender,
        letter.subject,
        kept.sent_at,
        letter.headers,
        letter.text,
        letter.html,
    )


def _line(kept: Kept) -> SandboxMessage:
    return SandboxMessage(
        kept.sandbox_id,
        kept.send_id,
        kept.contact_id,
        kept.channel,
        kept.address,
        kept.sender,
        headline(kept),
        kept.sent_at,
    )
