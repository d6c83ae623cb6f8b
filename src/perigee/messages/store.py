"""Typed access to messages."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import msgspec

from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.errors import NotFound
from perigee.messages.types import MessageRow
from perigee.messages.utm import Utm

q = load(__package__)


async def insert_message(
    connection: Connection,
    org_id: int,
    *,
    channel: str,
    name: str,
    language: str,
    tags: Sequence[str],
    keys: Sequence[str],
    engine: str,
) -> int:
    row = await (
        await connection.execute(
            q.insert_message,
            {
                "org_id": org_id,
                "channel": channel,
                "name": name,
                "language": language,
                "tags": list(tags),
                "keys": list(keys),
                "engine": engine,
            },
        )
    ).fetchone()
    assert row is not None
    return int(row[0])


async def set_utm(connection: Connection, org_id: int, message_id: int, utm: Utm) -> None:
    await connection.execute(
        q.set_utm,
        {"org_id": org_id, "message_id": message_id, "utm": msgspec.json.encode(utm).decode()},
    )


async def put_version(
    connection: Connection, org_id: int, message_id: int, language: str, content: msgspec.Struct
) -> None:
    await connection.execute(
        q.put_version,
        {
            "org_id": org_id,
            "message_id": message_id,
            "language": language,
            "content": msgspec.json.encode(content).decode(),
        },
    )


async def get_messages(connection: Connection, org_id: int, ids: Sequence[int]) -> list[MessageRow]:
    cursor = await connection.execute(q.get_messages, {"org_id": org_id, "ids": list(ids)})
    return [_message(row) for row in await cursor.fetchall()]


def _message(row: tuple[Any, ...]) -> MessageRow:
    message = MessageRow(*row)
    return dataclasses.replace(message, utm=msgspec.convert(message.utm, Utm))


async def get_message(
    connection: Connection, org_id: int, message_id: int, *, channel: str | None = None, lock: bool = False
) -> MessageRow:
    """Raises NotFound, also when the message is of another channel."""
    if lock:
        await connection.execute(q.lock_message, {"org_id": org_id, "message_id": message_id})
    found = await get_messages(connection, org_id, [message_id])
    if not found or (channel is not None and found[0].channel != channel):
        raise NotFound(f"message {message_id} does not exist")
    return found[0]


async def search(
    connection: Connection, org_id: int, *, channel: str | None, text: str, offset: int, limit: int
) -> tuple[list[MessageRow], int]:
    """(messages, total)."""
    values: dict[str, Any] = {
        "org_id": org_id,
        "channel": channel,
        "search": text,
        "offset": offset,
        "limit": limit,
    }
    rows = await (await connection.execute(q.search_messages, values)).fetchall()
    if rows:
        total = int(rows[0][1])
    else:
        counted = await (await connection.execute(q.count_messages, values)).fetchone()
        total = int(counted[0]) if counted else 0
    ids = [row[0] for row in rows]
    found = {message.message_id: message for message in await get_messages(connection, org_id, ids)}
    return [found[message_id] for message_id in ids if message_id in found], total


async def change_tags(
    connection: Connection,
    org_id: int,
    message_ids: Sequence[int],
    *,
    add: Sequence[str],
    remove: Sequence[str],
) -> dict[int, int]:
    """Number of tags that each of them has now."""
    values = {"org_id": org_id, "message_ids": list(message_ids), "add": list(add), "remove": list(remove)}
    return dict(await (await connection.execute(q.change_tags, values)).fetchall())
