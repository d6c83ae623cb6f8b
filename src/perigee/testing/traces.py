"""Looks for texts and numbers in every column of every table: for tests that nothing of a person is left.

Bytes are looked at as they are, decompressed (zlib), and by the ways a number is packed (msgpack).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from typing import Any

import msgspec

from perigee.db.pool import Database

TABLES = """
select c.relname, array_agg(a.attname order by a.attnum) filter (where t.typname = 'bytea')
from pg_class c
join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join pg_type t on t.oid = a.atttypid
where c.relkind = 'r'
group by c.relname order by c.relname
"""


async def traces(db: Database, texts: Sequence[str], numbers: Sequence[int]) -> list[tuple[str, str]]:
    """(table or partition, what was found in it). Texts are looked for whatever their case, numbers as whole ones."""
    looked_for = {text: re.compile(re.escape(text), re.IGNORECASE) for text in texts}
    looked_for |= {str(number): re.compile(rf"(?<!\d){number}(?!\d)") for number in numbers}
    packed = {str(number): msgspec.msgpack.encode(number) for number in numbers}
    found: list[tuple[str, str]] = []
    async with db.connection() as conn:
        for table, columns in await (await conn.execute(TABLES)).fetchall():
            chosen = "".join(f", t.{column}" for column in columns or ())
            for row in await (
                await conn.execute(f"select t::text{chosen} from {table} t".encode())
            ).fetchall():
                found += [(table, name) for name in _in_row(row[0], row[1:], looked_for, packed)]
    return sorted(set(found))


def _in_row(
    shown: str, values: Sequence[Any], looked_for: dict[str, re.Pattern[str]], packed: dict[str, bytes]
) -> set[str]:
    raw = [piece for value in values if value is not None for piece in _pieces(bytes(value))]
    readable = [
        shown,
        *(piece.decode("latin-1") for piece in raw),
        *(piece.decode("utf-8", "replace") for piece in raw),
    ]
    found = {name for name, pattern in looked_for.items() if any(pattern.search(text) for text in readable)}
    return found | {name for name, number in packed.items() if any(number in piece for piece in raw)}


def _pieces(value: bytes) -> list[bytes]:
    try:
        return [value, zlib.decompress(value)]
    except zlib.error:
        return [value]
