"""The old wire's template methods: seven per channel, one pattern (contract 18)."""

from __future__ import annotations

from typing import Any

from msgspec.structs import fields

from perigee.errors import Invalid
from perigee.esputnik.face import (
    PAGE,
    Answer,
    Call,
    Query,
    Right,
    Sentence,
    listing,
    operation,
    page,
    sentence,
)
from perigee.http.operation import Operation
from perigee.lib.scalars import to_id
from perigee.lib.text import clean_or_none
from perigee.messages import manage, store, view
from perigee.messages.contents import CONTENTS
from perigee.messages.types import MessageCreated, MessageRow, ViewLink
from perigee.messages.wire_types import EXAMPLES, READ, WRITTEN

CHANNELS = tuple(CONTENTS)
# Contract section 6: a key of any level may work on email and SMS templates.
RIGHTS = {"email": Right.GENERAL, "sms": Right.GENERAL}


def wire_message(message: MessageRow) -> dict[str, Any]:
    """The base message with `languages` and `translations`; empty members are left out."""
    languages = [message.language, *sorted(set(message.versions) - {message.language})]
    return {
        "id": message.message_id,
        **_version(message, message.language),
        "languages": languages,
        "translations": [_version(message, language) for language in languages[1:]],
    }


def _version(message: MessageRow, language: str) -> dict[str, Any]:
    return {
        "name": message.name,
        "languageCode": language,
        "tags": message.tags,
        "subscriptionsKeys": message.subscriptions_keys,
        **message.versions[language],
    }


def _family(channel: str) -> list[Operation]:
    """The seven methods of one channel."""
    right = RIGHTS.get(channel, Right.FULL)
    path = f"/v1/messages/{channel}"

    async def search(call: Call) -> Answer:
        offset, rows = page(call)
        async with call.context.database.connection() as connection:
            found, total = await store.search(
                connection,
                call.org_id,
                channel=channel,
                text=clean_or_none(call.query.get("search")) or "",
                offset=offset,
                limit=rows,
            )
        return listing([wire_message(message) for message in found], total)

    async def create(call: Call) -> MessageCreated:
        members = await _members(call)
        async with call.context.database.transaction() as connection:
            known = to_id("id", members.get("id")) if channel == "email" else None
            if known is not None:
                # "id given" means: update that message, or add this language to it (contract 18).
                await _put(call, connection, known, members)
                return MessageCreated(known)
            made = await manage.create(
                connection, call.org_id, channel, members, default_language=call.principal.language
            )
        return MessageCreated(made)

    async def _put(call: Call, connection: Any, message_id: int, members: dict[str, Any]) -> None:
        message = await store.get_message(connection, call.org_id, message_id, channel=channel)
        language = manage.language_code(members.get("languageCode"))
        if language in (None, message.language):
            await manage.change(connection, call.org_id, channel, message_id, members)
        else:
            await manage.put_translation(connection, call.org_id, channel, message_id, str(language), members)

    async def read(call: Call) -> dict[str, Any]:
        async with call.context.database.connection() as connection:
            return wire_message(
                await store.get_message(connection, call.org_id, call.path["message_id"], channel=channel)
            )

    async def change(call: Call) -> Answer:
        members = await _members(call)
        _require(channel, members)
        message_id = call.path["message_id"]
        async with call.context.database.transaction() as connection:
            await manage.change(connection, call.org_id, channel, message_id, members)
        return sentence(f"Message with id='{message_id}' has been updated")

    async def delete(call: Call) -> Answer:
        message_id = call.path["message_id"]
        async with call.context.database.transaction() as connection:
            await manage.delete(connection, call.org_id, channel, message_id)
        return sentence(f"Message with id='{message_id}' has been deleted")

    async def put_translation(call: Call) -> Answer:
        members = await _members(call)
        message_id, language = call.path["message_id"], _language(call)
        async with call.context.database.transaction() as connection:
            await manage.put_translation(connection, call.org_id, channel, message_id, language, members)
        return sentence(f"Message with id='{message_id}' has been updated in '{language}'")

    async def delete_translation(call: Call) -> Answer:
        message_id, language = call.path["message_id"], _language(call)
        async with call.context.database.transaction() as connection:
            await manage.delete_translation(connection, call.org_id, channel, message_id, language)
        return sentence(f"Message with id='{message_id}' has no version in '{language}' any more")

    one, translation = path + "/{message_id:int}", path + "/{message_id:int}/{language:str}"
    base: Any = READ[channel]
    searched = (Query("search", str, "part of the name, or a tag"), *PAGE)
    declared: list[tuple[str, str, Any, bool, Any, tuple[Query, ...], str]] = [
        (
            "GET",
            path,
            search,
            False,
            list[base],
            searched,
            "Search {} messages by part of the name, or a tag.",
        ),
        ("POST", path, create, True, MessageCreated, (), "Create {} message."),
        ("GET", one, read, False, base, (), "Read {} message with its languages."),
        ("PUT", one, change, True, Sentence, (), "Change {} message."),
        ("DELETE", one, delete, False, Sentence, (), "Delete {} message with all translations."),
        (
            "PUT",
            translation,
            put_translation,
            True,
            Sentence,
            (),
            "Add or change a translation of {} message.",
        ),
        (
            "DELETE",
            translation,
            delete_translation,
            False,
            Sentence,
            (),
            "Delete a translation of {} message.",
        ),
    ]
    family = []
    for method, where, handler, writes, answer, query, summary in declared:
        handler.__doc__ = summary.format(channel)
        handler.__name__ = f"{handler.__name__}_{channel}_message"
        method_of = operation(
            method,
            where,
            section=f"18.{CHANNELS.index(channel) + 1}",
            right=right,
            body=WRITTEN[channel] if writes else None,
            answer=answer,
            body_limit=_template_limit,
            query=query,
            example=EXAMPLES[channel] if writes else None,
            refusals=(409,) if method == "DELETE" else (),
        )
        family.append(method_of(handler))
    return family


def _template_limit(context: Any) -> int:
    """HTML, its raw form and AMP side by side: the largest template is 2 MB of HTML."""
    return max(8, int(context.settings.max_body_mb)) * 1024 * 1024


async def _members(call: Call) -> dict[str, Any]:
    members = await call.json(dict[str, Any])
    if not members:
        raise Invalid("body: is empty, the message's members are required", field="body")
    return members


def _require(channel: str, members: dict[str, Any]) -> None:
    """A change names all required members, those that stay the same too (contract 18). Raises Invalid."""
    required = ["name", *(one.encode_name for one in fields(CONTENTS[channel]) if one.required)]
    if channel == "email" and not members.get("mjml"):
        required.append("htmlText")
    for name in required:
        if members.get(name) in (None, ""):
            raise Invalid(f"{name}: is required", field=name)


def _language(call: Call) -> str:
    language = manage.language_code(call.path["language"], "language")
    assert language is not None
    return language


@operation(
    "GET",
    "/v1/messages/email/{message_id:int}/viewLink",
    section="18.1",
    right=Right.GENERAL,
    answer=ViewLink,
    answer_example={"link": "https://links.example.com/m/AWuxj4E9"},
    refusals=(404,),
)
async def get_email_view_link(call: Call) -> ViewLink:
    """Read the link that shows an email template in the browser."""
    message_id = call.path["message_id"]
    async with call.context.database.connection() as connection:
        await store.get_message(connection, call.org_id, message_id, channel="email")
    context = call.context
    return ViewLink(view.view_link(context.keys.links, context.settings.public_url, call.org_id, message_id))


OPERATIONS = [method for channel in CHANNELS for method in _family(channel)]
