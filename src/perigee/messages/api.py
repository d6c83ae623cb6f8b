"""/api/v4/messages: all channels through one resource."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from perigee.db.pool import Connection
from perigee.errors import Invalid
from perigee.http.v4 import CURSOR, Call, Created, Page, Query, Right, operation
from perigee.lib.text import clean_or_none
from perigee.messages import manage, store
from perigee.messages.contents import ALL_CONTENTS
from perigee.messages.types import Message, MessageCreate, MessageRow, MessageUpdate
from perigee.messages.utm import check_utm


def _message(row: MessageRow) -> Message:
    return Message(
        row.message_id,
        row.channel,
        row.name,
        row.language,
        row.tags,
        row.subscriptions_keys,
        row.engine,
        row.versions,
        row.utm,
    )


def _limit(context: Any) -> int:
    return max(8, int(context.settings.max_body_mb)) * 1024 * 1024


@operation(
    "POST",
    "/messages",
    right=Right.MESSAGES,
    body=MessageCreate,
    answer=Message,
    body_limit=_limit,
    example={
        "channel": "email",
        "name": "Welcome",
        "content": {"from": '"Example Shop" <news@example.com>', "subject": "Hello", "htmlText": "<p>Hi</p>"},
        "language": "en",
        "tags": ["promo"],
    },
)
async def create_message(call: Call) -> Created:
    """Create a message of any channel, with its translations."""
    wanted = await call.json(MessageCreate)
    members = {
        **wanted.content,
        "name": wanted.name,
        "languageCode": wanted.language,
        "tags": wanted.tags,
        "subscriptionsKeys": wanted.subscriptions_keys,
        "translations": [{**content, "languageCode": code} for code, content in wanted.translations.items()],
    }
    async with call.context.database.transaction() as connection:
        made = await manage.create(
            connection,
            call.org_id,
            wanted.channel,
            members,
            default_language=call.principal.language,
            engine=wanted.engine,
        )
        await store.set_utm(connection, call.org_id, made, check_utm(wanted.utm))
        return Created(await _read(connection, call.org_id, made))


@operation(
    "GET",
    "/messages",
    right=Right.MESSAGES,
    answer=Page[Message],
    query=(
        Query("channel", str, "messages of one channel"),
        Query("search", str, "part of the name, or a tag"),
        CURSOR,
    ),
)
async def list_messages(call: Call) -> Page:
    """List messages, newest first; `channel` and `search` narrow."""
    channel = call.query.get("channel") or None
    if channel is not None and channel not in ALL_CONTENTS:
        raise Invalid.of("channel", channel, "must be one of " + ", ".join(ALL_CONTENTS))
    cursor = call.query.get("cursor") or "0"
    if not cursor.isdecimal() or len(cursor) > 9:
        raise Invalid.of("cursor", cursor, "must be a cursor of an earlier page")
    offset = int(cursor)
    async with call.context.database.connection() as connection:
        rows, total = await store.search(
            connection,
            call.org_id,
            channel=channel,
            text=clean_or_none(call.query.get("search")) or "",
            offset=offset,
            limit=100,
        )
    page = Page([_message(row) for row in rows])
    if offset + len(rows) < total:
        page.next = str(offset + len(rows))
    return page


@operation("GET", "/messages/{message_id:int}", right=Right.MESSAGES, answer=Message)
async def get_message(call: Call) -> Message:
    """Read a message with all language versions."""
    async with call.context.database.connection() as connection:
        return await _read(connection, call.org_id, call.path["message_id"])


@operation(
    "PATCH",
    "/messages/{message_id:int}",
    right=Right.MESSAGES,
    body=MessageUpdate,
    answer=Message,
    example={"utm": {"medium": "newsletter", "campaign": "{message}"}},
)
async def change_message(call: Call) -> Message:
    """Change how the links of a message are tagged; messages sent before stay as they are."""
    wanted = await call.json(MessageUpdate)
    message_id = call.path["message_id"]
    async with call.context.database.transaction() as connection:
        await store.get_message(connection, call.org_id, message_id, lock=True)
        if wanted.utm is not UNSET:
            await store.set_utm(connection, call.org_id, message_id, check_utm(wanted.utm))
        return await _read(connection, call.org_id, message_id)


@operation("DELETE", "/messages/{message_id:int}", right=Right.MESSAGES, refusals=(409,))
async def delete_message(call: Call) -> None:
    """Delete a message with all translations."""
    async with call.context.database.transaction() as connection:
        message = await store.get_message(connection, call.org_id, call.path["message_id"])
        await manage.delete(connection, call.org_id, message.channel, message.message_id)


async def _read(connection: Connection, org_id: int, message_id: int) -> Message:
    return _message(await store.get_message(connection, org_id, message_id))
