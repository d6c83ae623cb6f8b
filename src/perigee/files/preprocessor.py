"""Data of files for messages: `$data.get('recommendations')` (contract 21.4, tracking 8.2)."""

from __future__ import annotations

from collections.abc import Sequence
from secrets import randbelow
from typing import Any, Final

import msgspec

from perigee.db.pool import Connection
from perigee.files import store

NAME: Final = "recommendations"
"""By what name templates reach the data."""

PRUNED: Final = 50_000
"""Most expired values that one round of housekeeping drops."""


async def data_for(conn: Connection, org_id: int, emails: Sequence[str]) -> dict[str, list[Any]]:
    """The data of each person, by email in its normal form; who has none is missing.

    What a file says about the person goes before what is drawn by chance; of several files the one loaded last. A
    person gets a new draw each time. Two statements, one where an organisation has no file.
    """
    files = await store.live_files(conn, org_id)
    if not files or not emails:
        return {}
    keyed = [file.file_id for file in files if file.kind == "Key"]
    drawn_from = next((file for file in files if file.kind == "Random"), None)
    draws = {} if drawn_from is None else {email: str(randbelow(drawn_from.elements)) for email in emails}
    asked = keyed if drawn_from is None else [*keyed, drawn_from.file_id]
    texts = await store.values(conn, org_id, asked, [*emails, *set(draws.values())])
    found: dict[str, list[Any]] = {}
    for email in emails:
        text = next((texts[file_id, email] for file_id in keyed if (file_id, email) in texts), None)
        if text is None and drawn_from is not None:
            text = texts.get((drawn_from.file_id, draws[email]))
        if text is not None:
            found[email] = msgspec.json.decode(text)
    return found


async def prune(conn: Connection) -> None:
    """Drops expired data, in all organisations."""
    await store.prune(conn, rows=PRUNED)
