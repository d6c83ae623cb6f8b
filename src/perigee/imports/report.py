"""What is to be said about the rows of an import, as a CSV file for people."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from perigee.db.pool import Database
from perigee.imports import store
from perigee.lib import csv_out

PAGE: Final = 5000


async def pieces(database: Database, org_id: int, import_id: int) -> AsyncIterator[bytes]:
    """Line, level, column, value, rule; page by page, so its length does not matter."""
    yield (csv_out.BOM + "".join(csv_out.rows([("line", "level", "column", "value", "rule")]))).encode()
    after = 0
    while True:
        async with database.connection() as conn:
            lines = await store.report(conn, org_id, import_id, after=after, rows=PAGE)
        if not lines:
            return
        after = lines[-1].remark_id
        for text in csv_out.rows([line[1:] for line in lines]):
            yield text.encode()
