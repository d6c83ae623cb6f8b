"""Data of files for messages: `$data.get('recommendations')` (contract 21.4, tracking 8.2)."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from secrets import token_hex
from typing import Any, Final

import msgspec

from perigee.db.pool import Connection
from perigee.files import store

NAME: Final = "recommendations"
"""By what name templates reach the data."""

PRUNED: Final = 50_000
"""Most expired values that one round of housekeeping drops."""


async def data_for(
    conn: Connection, org_id: int, people: Sequence[str], *, salt: str | None = None
) -> dict[str, list[Any]]:
    """The data of each person; who has none is missing. Two statements, one where an organisation has no file.

    `people` are emails in their normal form; who has no email is called by any other name, and only gets what is
    drawn by chance. What a file says of a person goes before a draw; of several files the one loaded last counts.
    A draw of the same person with the same `salt` (a send) comes out the same while the file does not change.
    """
    files = await store.live_files(conn, org_id)
    if not files or not people:
        return {}
    salt = token_hex() if salt is None else salt
    keyed = [file.file_id for file in files if file.kind == "Key"]
    pool = next((file for file in files if file.kind == "Random"), None)
    draws = {} if pool is None else {one: str(draw(salt, one, pool.elements)) for one in people}
    asked = keyed if pool is None else [*keyed, pool.file_id]
    texts = await store.values(conn, org_id, asked, [*people, *set(draws.values())])
    found: dict[str, list[Any]] = {}
    for one in people:
        text = next((texts[file_id, one] for file_id in keyed if (file_id, one) in texts), None)
        if text is None and pool is not None:
            text = texts.get((pool.file_id, draws[one]))
        if text is not None:
            found[one] = msgspec.json.decode(text)
    return found


def draw(salt: str, person: str, elements: int) -> int:
    """From 0 up to `elements`, evenly among people. Pure."""
    return int.from_bytes(blake2b(f"{salt} {person}".encode(), digest_size=8).digest()) % elements


async def prune(conn: Connection) -> None:
    """Drops expired data, in all organisations."""
    await store.prune(conn, rows=PRUNED)
