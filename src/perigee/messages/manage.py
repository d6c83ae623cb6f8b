"""Creating, changing and deleting messages and their language versions, for all channels (contract 18)."""

from __future__ import annotations

from typing import Any

import msgspec

from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.errors import Conflict, Invalid, NotFound
from perigee.lib.languages import normal_language
from perigee.lib.text import clean_or_none
from perigee.messages import store
from perigee.messages.check import check_content
from perigee.messages.contents import read_content
from perigee.messages.types import NAME_LENGTH, MessageMeta, MessageRow
from perigee.messages.velocity.choose import engine_for, texts_in
from perigee.senders.check import CHANNELS_WITH_SENDERS, check_sender

q = load(__package__)

TAG_LENGTH = 50


def read_meta(members: dict[str, Any]) -> MessageMeta:
    """name, languageCode, tags, subscriptionsKeys of a body. Raises Invalid."""
    name = members.get("name")
    if name is not None:
        name = clean_or_none(str(name)) if isinstance(name, (str, int, float)) else None
        if name is None or len(name) > NAME_LENGTH:
            raise Invalid.of("name", members["name"], f"must be text of 1 to {NAME_LENGTH} characters")
    return MessageMeta(
        name=name,
        language=language_code(members.get("languageCode")),
        tags=_texts(members, "tags", TAG_LENGTH),
        subscriptions_keys=_texts(members, "subscriptionsKeys", 100),
    )


def language_code(value: Any, field: str = "languageCode") -> str | None:
    if value is None or value == "":
        return None
    language = normal_language(value) if isinstance(value, str) else None
    if language is None:
        raise Invalid.of(field, value, "is not a language code")
    return language


def _texts(members: dict[str, Any], field: str, most: int) -> list[str] | None:
    values = members.get(field)
    if values is None:
        return None
    if isinstance(values, str):
        values = [values]
    if not isinstance(values, list) or len(values) > 100:
        raise Invalid(f"{field}: must be a list of at most 100 texts", field=field)
    texts = []
    for value in values:
        text = clean_or_none(value) if isinstance(value, str) else None
        if text is None or len(text) > most:
            raise Invalid.of(field, value, f"must be text of 1 to {most} characters")
        texts.append(text)
    return list(dict.fromkeys(texts))


async def create(
    connection: Connection,
    org_id: int,
    channel: str,
    members: dict[str, Any],
    *,
    default_language: str,
    engine: str | None = None,
) -> int:
    """A message with its base version and, where given, `translations`. Returns its id. Raises Invalid.

    `engine` None: the template language is told from the texts (`velocity.choose`).
    """
    engine = engine or engine_for(texts_in(members))
    meta = read_meta(members)
    if meta.name is None:
        raise Invalid("name: is required", field="name")
    content = read_content(channel, members)
    content = await check_content(content, engine)
    await _check_sender(connection, org_id, channel, members)
    await check_categories(connection, org_id, meta.subscriptions_keys or [])
    language = meta.language or default_language
    message_id = await store.insert_message(
        connection,
        org_id,
        channel=channel,
        name=meta.name,
        language=language,
        tags=meta.tags or [],
        keys=meta.subscriptions_keys or [],
        engine=engine,
    )
    await store.put_version(connection, org_id, message_id, language, content)
    for translation in members.get("translations") or []:
        if isinstance(translation, dict) and (code := language_code(translation.get("languageCode"))):
            await put_translation(connection, org_id, channel, message_id, code, translation)
    return message_id


async def change(
    connection: Connection, org_id: int, channel: str, message_id: int, members: dict[str, Any]
) -> None:
    """Changes the base version; absent members stay as they are. Raises NotFound, Invalid, Conflict."""
    message = await store.get_message(connection, org_id, message_id, channel=channel, lock=True)
    meta = read_meta(members)
    content = read_content(channel, {**message.versions[message.language], **_given(members)})
    engine = _engine_with(message, message.language, content)
    content = await check_content(content, engine)
    await _check_sender(connection, org_id, channel, members)
    keys = message.subscriptions_keys if meta.subscriptions_keys is None else meta.subscriptions_keys
    await check_categories(connection, org_id, keys)
    language = meta.language or message.language
    if language != message.language:
        if language in message.versions:
            raise Conflict(f"the message already has a version in '{language}'")
        await connection.execute(
            q.rename_version,
            {"org_id": org_id, "message_id": message_id, "language": language, "old": message.language},
        )
    await connection.execute(
        q.update_message,
        {
            "org_id": org_id,
            "message_id": message_id,
            "name": meta.name or message.name,
            "language": language,
            "engine": engine,
            "tags": message.tags if meta.tags is None else meta.tags,
            "keys": keys,
        },
    )
    await store.put_version(connection, org_id, message_id, language, content)


async def delete(connection: Connection, org_id: int, channel: str, message_id: int) -> None:
    cursor = await connection.execute(
        q.delete_message, {"org_id": org_id, "message_id": message_id, "channel": channel}
    )
    if await cursor.fetchone() is None:
        raise NotFound(f"message {message_id} does not exist")


async def put_translation(
    connection: Connection, org_id: int, channel: str, message_id: int, language: str, members: dict[str, Any]
) -> None:
    """Adds or changes a language version; a new one starts as a copy of the base version."""
    message = await store.get_message(connection, org_id, message_id, channel=channel, lock=True)
    base = message.versions.get(language, message.versions[message.language])
    content = read_content(channel, {**base, **_given(members)})
    engine = _engine_with(message, language, content)
    content = await check_content(content, engine)
    await _check_sender(connection, org_id, channel, members)
    if engine != message.engine:
        await connection.execute(q.set_engine, {"org_id": org_id, "message_id": message_id, "engine": engine})
    await store.put_version(connection, org_id, message_id, language, content)


def _engine_with(message: MessageRow, language: str, content: msgspec.Struct) -> str:
    """The template language of a message, one for all its versions, when `language` becomes `content`."""
    versions = {**message.versions, language: msgspec.to_builtins(content)}
    return engine_for(texts_in(versions), message.engine)


async def delete_translation(
    connection: Connection, org_id: int, channel: str, message_id: int, language: str
) -> None:
    """Raises NotFound, and Invalid for the base version, which only goes with the message."""
    message = await store.get_message(connection, org_id, message_id, channel=channel, lock=True)
    if language == message.language:
        raise Invalid.of("language", language, "is the base version, delete the message instead")
    cursor = await connection.execute(
        q.delete_version, {"org_id": org_id, "message_id": message_id, "language": language}
    )
    if await cursor.fetchone() is None:
        raise NotFound(f"message {message_id} has no version in '{language}'")


def _given(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


async def _check_sender(connection: Connection, org_id: int, channel: str, members: dict[str, Any]) -> None:
    """Only a sender that the caller names: an old message may be mended without a new sender."""
    if channel in CHANNELS_WITH_SENDERS and isinstance(sender := members.get("from"), str):
        await check_sender(connection, org_id, channel, sender)


async def check_categories(connection: Connection, org_id: int, keys: list[str]) -> None:
    """Raises Invalid for a key that is no subscription category."""
    if not keys:
        return
    cursor = await connection.execute(q.unknown_categories, {"org_id": org_id, "keys": keys})
    if unknown := await cursor.fetchone():
        raise Invalid.of("subscriptionsKeys", unknown[0], "is not a subscription category")
