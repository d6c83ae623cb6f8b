"""Applies an import block by block.

Each step is one transaction that also moves the import's position. A worker that is killed leaves whole steps behind,
and whoever goes on skips what is through. Two workers on one import cannot write the same step (`store.lock_step`).
While one block is written the next is read and cleaned in a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence
from contextlib import closing
from typing import IO, Final, NamedTuple

from perigee.db.group_commit import run_set
from perigee.db.pool import Connection, Database
from perigee.errors import Conflict
from perigee.imports import store
from perigee.imports.erased import without
from perigee.imports.kind import Run, kind_of
from perigee.imports.reader.rows import blocks, count, data_rows
from perigee.imports.spool import spooled
from perigee.imports.types import Applied, Cleaned, Import

STEP: Final = 5000
"""Rows of one transaction."""


class _Step(NamedTuple):
    run: Run
    given: Import
    block: Cleaned


async def run_import(database: Database, org_id: int, import_id: int) -> None:
    """Raises Invalid for a file or plan that cannot be used, and what the database raises."""
    async with database.transaction() as conn:
        if not await store.begin(conn, org_id, import_id):
            return
        given = await store.find(conn, org_id, import_id)
    assert given.plan is not None
    async with database.transaction() as conn:
        run = await kind_of(given.kind).open(conn, org_id, given.plan)
        async for ids in store.touched(conn, org_id, import_id):
            run.committed(ids)
    try:
        async with spooled(database, org_id, import_id) as file:
            total = await asyncio.to_thread(_count, file, given)
            async with database.transaction() as conn:
                await store.set_total(conn, org_id, import_id, total)
            written = await _write(database, org_id, given, run, file)
    except Conflict:
        return  # cancelled before its file was read
    if written:
        async with database.transaction() as conn:
            if await store.end(conn, org_id, import_id, "finished"):
                await run.finish(conn, await store.find(conn, org_id, import_id))


async def _write(database: Database, org_id: int, given: Import, run: Run, file: IO[bytes]) -> bool:
    """False: the import was cancelled, or another worker is at it."""
    with closing(_cleaned(given, run, file)) as source:
        block = await asyncio.to_thread(next, source, None)
        while block is not None:
            following = asyncio.create_task(asyncio.to_thread(next, source, None))
            try:
                (applied,) = await run_set(database, _apply, org_id, [_Step(run, given, block)])
            finally:
                await asyncio.wait([following])  # the file is closed behind us
            if not isinstance(applied, Applied):
                return False
            run.committed(applied.ids)
            block = following.result()
    return True


def _count(file: IO[bytes], given: Import) -> int:
    assert given.found is not None
    assert given.plan is not None
    return count(file, given.found, has_headings=given.plan.has_headings)


def _cleaned(given: Import, run: Run, file: IO[bytes]) -> Generator[Cleaned, None, None]:
    assert given.found is not None
    assert given.plan is not None
    with closing(data_rows(file, given.found, has_headings=given.plan.has_headings)) as rows:
        for block in blocks(rows, skip=given.counts.done, size=STEP, together=run.together):
            yield run.clean(block)


async def _apply(conn: Connection, org_id: int, items: Sequence[_Step]) -> list[Applied | None]:
    return [await _apply_one(conn, org_id, step) for step in items]


async def _apply_one(conn: Connection, org_id: int, step: _Step) -> Applied | None:
    import_id = step.given.import_id
    erased = await store.lock_step(conn, org_id, import_id, position=step.block.position)
    if erased is None:
        return None
    block, left_out = without(step.block, step.run.owners(step.block), erased) if erased else (step.block, 0)
    applied = await step.run.apply(conn, block)
    applied = applied._replace(skipped=applied.skipped + left_out)
    assert step.given.found is not None
    await store.finish_step(conn, org_id, import_id, block, applied, step.given.found.headings)
    return applied
