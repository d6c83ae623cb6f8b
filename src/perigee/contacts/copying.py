"""COPY for sets that are worth it: it writes new rows in half the time of an INSERT."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from perigee.db.columns import NULL, SEPARATOR
from perigee.db.pool import Connection

MANY: Final = 200
"""Rows from which on COPY is used. It needs two more round trips and a connection outside of a pipeline."""


async def copy(conn: Connection, statement: str, rows: Iterable[Sequence[str | None]]) -> None:
    """Sends the rows to a COPY statement with the separator and null of db/columns.py.

    Values are cleaned text, so they hold no line breaks but those that JSON escapes.
    """
    text = "\n".join([SEPARATOR.join([NULL if value is None else value for value in row]) for row in rows])
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    async with conn.cursor() as cursor, cursor.copy(statement) as sink:
        await sink.write(text)
