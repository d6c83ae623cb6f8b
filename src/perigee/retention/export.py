"""What is about to be dropped, as gzip'd CSV with a header line."""

from __future__ import annotations

import asyncio
import gzip
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from psycopg import sql

from perigee.db.pool import Connection


@asynccontextmanager
async def exported(conn: Connection, table: str, folder: Path) -> AsyncIterator[Path]:
    """Writes the table's rows to a file that has its name once the body has ended well; else nothing is left.

    Files are never written over: after a crash between the file and the commit of the caller's transaction the same
    rows are written once more, as `<table>.2.csv.gz`. Memory is constant.
    """
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    half = folder / f"{table}.csv.gz.part"
    try:
        await _write(conn, table, half)
        yield half
        os.replace(half, _free(folder, table))
        await asyncio.to_thread(_sync, folder)
    finally:
        half.unlink(missing_ok=True)


async def _write(conn: Connection, table: str, path: Path) -> None:
    query = sql.SQL("copy (select * from {}) to stdout (format csv, header)").format(sql.Identifier(table))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # it is personal data
    with os.fdopen(descriptor, "wb") as file:
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=6) as packed:
            async with conn.cursor() as cursor, cursor.copy(query) as copy:
                lines: list[bytes] = []
                async for piece in copy:
                    lines.append(bytes(piece))
                    if len(lines) == 5_000:
                        await asyncio.to_thread(packed.write, b"".join(lines))
                        lines.clear()
                await asyncio.to_thread(packed.write, b"".join(lines))
        file.flush()
        os.fsync(file.fileno())


def _free(folder: Path, table: str) -> Path:
    names = (folder / (f"{table}.csv.gz" if n == 1 else f"{table}.{n}.csv.gz") for n in range(1, 10_000))
    return next(name for name in names if not name.exists())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
