"""/api/v4/messages/tags: tags of many messages at once."""

from __future__ import annotations

from typing import Annotated

import msgspec

from perigee.errors import Invalid
from perigee.http.v4 import Call, Right, operation
from perigee.lib.tags import MOST, clean_tags
from perigee.messages import store


class MessageTags(msgspec.Struct, forbid_unknown_fields=True):
    """Up to 500 messages; unknown ones are skipped. A tag has up to 50 characters and no special signs."""

    message_ids: Annotated[list[int], msgspec.Meta(min_length=1, max_length=500)]
    add: list[str] = []
    remove: list[str] = []


class MessagesTagged(msgspec.Struct):
    messages: int


@operation(
    "POST",
    "/messages/tags",
    right=Right.MESSAGES,
    body=MessageTags,
    answer=MessagesTagged,
    example={"message_ids": [2345001], "add": ["spring"], "remove": ["draft"]},
)
async def change_message_tags(call: Call) -> MessagesTagged:
    """Add tags to messages and take others away; says how many messages there were."""
    given = await call.json(MessageTags)
    add, remove = clean_tags("add", given.add), clean_tags("remove", given.remove)
    async with call.context.database.transaction() as connection:
        now = await store.change_tags(connection, call.org_id, given.message_ids, add=add, remove=remove)
        if over := [message_id for message_id, tags in now.items() if tags > MOST]:
            raise Invalid(f"add: message {over[0]} would have more than {MOST} tags", field="add")
    return MessagesTagged(len(now))
