"""Typed access to imports of files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from perigee.db.columns import pack, pack_numbers
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.errors import NotFound
from perigee.imports.erased import Erased, marks
from perigee.imports.types import Applied, Cleaned, Counts, Format, Import, Plan, Remark
from perigee.lib.text import clean

q = load(__package__)

VALUE_LENGTH: Final = 300
"""Characters of a value that a report shows."""

_json = msgspec.json.Encoder().encode


class ReportLine(NamedTuple):
    remark_id: int
    line: int
    level: str
    heading: str | None
    value: str | None
    rule: str


async def insert(conn: Connection, org_id: int, kind: str, name: str) -> int:
    row = await (
        await conn.execute(q.insert_import, {"org_id": org_id, "kind": kind, "name": name})
    ).fetchone()
    assert row is not None
    return int(row[0])


async def insert_chunk(conn: Connection, org_id: int, import_id: int, n: int, data: bytes) -> bool:
    """False: the upload has been cancelled."""
    values = {"org_id": org_id, "import_id": import_id, "n": n, "data": data}
    cursor = await conn.execute(q.insert_chunk, values)
    await conn.execute(q.touch_upload, {"org_id": org_id, "import_id": import_id})
    return cursor.rowcount == 1


async def set_ready(conn: Connection, org_id: int, import_id: int, *, size: int, found: Format) -> bool:
    values = {"org_id": org_id, "import_id": import_id, "size": size, "found": _json(found).decode()}
    return (await conn.execute(q.set_ready, values)).rowcount == 1


async def delete(conn: Connection, org_id: int, import_id: int) -> None:
    await conn.execute(q.delete_import, {"org_id": org_id, "import_id": import_id})


async def find(conn: Connection, org_id: int, import_id: int) -> Import:
    """Raises NotFound."""
    cursor = await conn.execute(q.find_import, {"org_id": org_id, "import_id": import_id})
    row = await cursor.fetchone()
    if row is None:
        raise NotFound(f"Import with id='{import_id}' is not found")
    return _import(row)


async def page(
    conn: Connection, org_id: int, *, before: int, rows: int, kinds: Sequence[str]
) -> list[Import]:
    """The newest first."""
    values = {"org_id": org_id, "before": before, "rows": rows, "kinds": list(kinds)}
    return [_import(row) for row in await (await conn.execute(q.list_imports, values)).fetchall()]


def _import(row: Sequence[Any]) -> Import:
    import_id, kind, name, status, size, found, plan, *rest = row
    return Import(
        import_id,
        kind,
        name,
        status,
        size,
        None if found is None else msgspec.convert(found, Format),
        None if plan is None else msgspec.convert(plan, Plan),
        Counts(*rest[:8]),
        *rest[8:],
    )


async def chunks(conn: Connection, org_id: int, import_id: int, *, first: int, rows: int) -> list[bytes]:
    values = {"org_id": org_id, "import_id": import_id, "first": first, "rows": rows}
    cursor = await conn.execute(q.chunks, values, binary=True)
    return [data for _, data in await cursor.fetchall()]


async def lock(conn: Connection, org_id: int, import_id: int) -> str:
    """Its status. Raises NotFound."""
    row = await (await conn.execute(q.lock_import, {"org_id": org_id, "import_id": import_id})).fetchone()
    if row is None:
        raise NotFound(f"Import with id='{import_id}' is not found")
    return str(row[0])


async def queue(conn: Connection, org_id: int, import_id: int, plan: Plan) -> None:
    values = {"org_id": org_id, "import_id": import_id, "plan": _json(plan).decode()}
    await conn.execute(q.queue_import, values)


async def begin(conn: Connection, org_id: int, import_id: int) -> bool:
    """False: there is nothing left to do."""
    values = {"org_id": org_id, "import_id": import_id}
    return (await conn.execute(q.begin_import, values)).rowcount == 1


async def set_total(conn: Connection, org_id: int, import_id: int, total: int) -> None:
    await conn.execute(q.set_total, {"org_id": org_id, "import_id": import_id, "total": total})


async def lock_step(conn: Connection, org_id: int, import_id: int, *, position: int) -> Erased | None:
    """Who must not come back with the rows from here on; None: it is not ours to write them. Nobody else can until
    this transaction ends."""
    cursor = await conn.execute(q.lock_step, {"org_id": org_id, "import_id": import_id}, binary=True)
    row = await cursor.fetchone()
    if row is None or row[0] != position:
        return None
    return Erased(await _key(conn, org_id) if row[1] else b"", row[1])


async def _key(conn: Connection, org_id: int) -> bytes:
    row = await (await conn.execute(q.ensure_key, {"org_id": org_id}, binary=True)).fetchone()
    assert row is not None
    return bytes(row[0])


async def bar(conn: Connection, org_id: int, identities: Sequence[tuple[str, str]]) -> None:
    """People are about to be erased: no import that waits or runs brings them back. To be called before their contacts
    are locked. `identities`: as of `erased.marks`."""
    cursor = await conn.execute(q.lock_unfinished, {"org_id": org_id})
    started = [import_id for import_id, status in await cursor.fetchall() if status in ("queued", "running")]
    if started:
        found = marks(await _key(conn, org_id), identities)
        await conn.execute(q.bar, {"org_id": org_id, "import_ids": started, "marks": found})


async def finish_step(
    conn: Connection, org_id: int, import_id: int, block: Cleaned, applied: Applied, headings: Sequence[str]
) -> None:
    remarks = applied.remarks
    await conn.execute(
        q.finish_step,
        {
            "org_id": org_id,
            "import_id": import_id,
            "position": block.position,
            "length": block.length,
            "created": applied.created,
            "updated": applied.updated,
            "duplicates": applied.duplicates,
            "skipped": applied.skipped,
            "errors": sum(1 for one in remarks if one.level == "error"),
            "warnings": sum(1 for one in remarks if one.level == "warning"),
            "ids": pack_numbers(applied.ids),
        },
    )
    if remarks:
        await _insert_remarks(conn, org_id, import_id, sorted(remarks, key=lambda one: one.line), headings)


async def _insert_remarks(
    conn: Connection, org_id: int, import_id: int, remarks: Sequence[Remark], headings: Sequence[str]
) -> None:
    await conn.execute(
        q.insert_remarks,
        {
            "org_id": org_id,
            "import_id": import_id,
            "lines": pack_numbers(one.line for one in remarks),
            "levels": pack(one.level for one in remarks),
            "headings": pack(heading_of(headings, one.column) for one in remarks),
            "values": pack(
                None if one.value is None else clean(one.value)[:VALUE_LENGTH] or None for one in remarks
            ),
            "rules": pack(clean(one.rule)[:500] for one in remarks),
            "subjects": pack_numbers(one.subject for one in remarks),
        },
    )


def heading_of(headings: Sequence[str], column: int | None) -> str | None:
    """What a column is called in a report: its heading, else its place, from 1."""
    if column is None:
        return None
    heading = clean(headings[column]) if column < len(headings) else ""
    return heading or f"column {column + 1}"


async def touched(conn: Connection, org_id: int, import_id: int) -> AsyncIterator[list[int]]:
    """What the steps so far touched, step by step."""
    after = -1
    while True:
        values = {"org_id": org_id, "import_id": import_id, "after": after}
        rows = await (await conn.execute(q.step_ids, values)).fetchall()
        if not rows:
            return
        for position, ids in rows:
            after = position
            yield ids


async def end(conn: Connection, org_id: int, import_id: int, status: str, reason: str | None = None) -> bool:
    """`status`: finished, cancelled or failed. False: it had ended before, and stays as it is."""
    values = {"org_id": org_id, "import_id": import_id, "status": status, "reason": reason}
    return await (await conn.execute(q.end_import, values)).fetchone() is not None


async def report(conn: Connection, org_id: int, import_id: int, *, after: int, rows: int) -> list[ReportLine]:
    values = {"org_id": org_id, "import_id": import_id, "after": after, "rows": rows}
    return [ReportLine(*row) for row in await (await conn.execute(q.remarks, values)).fetchall()]


async def erase(
    conn: Connection, org_id: int, contact_ids: Sequence[int], *, values: Sequence[str], texts: Sequence[str]
) -> None:
    """People are erased: files that wait are forgotten, reports say nothing of them. `values`: whole ones, in small
    letters; `texts`: those that may stand inside a longer text. The file of an import that runs goes when it ends."""
    given = {
        "org_id": org_id,
        "contact_ids": list(contact_ids),
        "values": [value[:VALUE_LENGTH] for value in values],
        "texts": list(texts),
    }
    for statement in (q.forget_files, q.forget_steps, q.forget_values):
        await conn.execute(statement, given)


async def prune(conn: Connection) -> None:
    await conn.execute(q.prune_files)
    await conn.execute(q.prune_remarks)
