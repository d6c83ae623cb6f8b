"""The life of an import before its job: looked at, tried out, started, cancelled."""

from __future__ import annotations

import asyncio
from contextlib import closing
from itertools import islice
from typing import IO, Final, NamedTuple

import msgspec

from perigee.db.pool import Connection, Database
from perigee.errors import Conflict
from perigee.imports import schemes, store
from perigee.imports.kind import Kind, Run, kind_of
from perigee.imports.mapping import by_headings, place_columns
from perigee.imports.reader.detect import columns_of, format_of
from perigee.imports.reader.rows import blocks, data_rows
from perigee.imports.spool import spooled
from perigee.imports.types import Block, Cleaned, Column, Import, Plan, Target
from perigee.jobs import enqueue

RUN_IMPORT: Final = "imports.run"


class Looked(NamedTuple):
    """An import with its columns; these only before its start, for the file is read for them."""

    given: Import
    columns: list[Column]
    targets: list[Target]


class Preview(NamedTuple):
    block: Block
    cleaned: Cleaned
    plan: Plan


async def recognise(database: Database, org_id: int, import_id: int, kind: Kind, size: int) -> None:
    """The file is whole: what it is. Raises Invalid, Conflict when it was cancelled meanwhile."""
    async with database.connection() as conn:
        targets = await kind.targets(conn, org_id)
    async with spooled(database, org_id, import_id) as file:
        found = await asyncio.to_thread(format_of, file, targets)
    async with database.transaction() as conn:
        if not await store.set_ready(conn, org_id, import_id, size=size, found=found):
            raise Conflict(f"import {import_id} was cancelled")


async def look(database: Database, org_id: int, import_id: int) -> Looked:
    """Raises NotFound."""
    async with database.connection() as conn:
        given = await store.find(conn, org_id, import_id)
        targets = list(await kind_of(given.kind).targets(conn, org_id))
    if given.found is None or given.status != "ready":
        return Looked(given, [], targets)
    async with spooled(database, org_id, import_id) as file:
        columns = await asyncio.to_thread(columns_of, file, given.found, targets)
    return Looked(given, columns, targets)


async def preview(database: Database, org_id: int, import_id: int, plan: Plan, *, rows: int) -> Preview:
    """The first rows as they would be taken. Raises NotFound, Conflict, Invalid."""
    looked = await look(database, org_id, import_id)
    given = looked.given
    found = given.found
    if found is None or not looked.columns:
        raise _not_ready(given)
    placed = place_columns(plan, found, looked.columns, looked.targets)
    async with database.connection() as conn:
        run = await kind_of(given.kind).open(conn, org_id, placed)
    async with spooled(database, org_id, import_id) as file:
        block, cleaned = await asyncio.to_thread(_try, file, given, placed, run, rows)
    return Preview(block, cleaned, placed)


def _try(file: IO[bytes], given: Import, plan: Plan, run: Run, rows: int) -> tuple[Block, Cleaned]:
    assert given.found is not None
    with closing(data_rows(file, given.found, has_headings=plan.has_headings)) as source:
        block = next(blocks(islice(source, rows), skip=0, size=rows), Block(0, 0, [], [], []))
    return block, run.clean(block)


async def start(
    database: Database, org_id: int, import_id: int, plan: Plan, *, save_scheme: str | None = None
) -> Import:
    """`save_scheme`: a name under which the plan is kept. Raises NotFound, Conflict for an import that is not ready or
    a name that is taken, Invalid."""
    looked = await look(database, org_id, import_id)
    kind = kind_of(looked.given.kind)
    async with database.transaction() as conn:
        status = await store.lock(conn, org_id, import_id)
        if status != "ready" or looked.given.found is None or not looked.columns:
            raise _not_ready(looked.given._replace(status=status))
        placed = place_columns(plan, looked.given.found, looked.columns, looked.targets)
        await kind.open(conn, org_id, placed)
        prepared = await kind.prepare(conn, org_id, looked.given, placed)
        await store.queue(conn, org_id, import_id, prepared)
        if save_scheme is not None:
            kept = msgspec.structs.replace(by_headings(placed, looked.given.found), options=plan.options)
            await schemes.create(conn, org_id, kind.name, save_scheme, kept)
        await enqueue(conn, RUN_IMPORT, lock=f"imports of {org_id}", org_id=org_id, import_id=import_id)
        return await store.find(conn, org_id, import_id)


async def cancel(conn: Connection, org_id: int, import_id: int) -> Import:
    """What is saved stays. Raises NotFound, Conflict for an import that is over."""
    status = await store.lock(conn, org_id, import_id)
    if not await store.end(conn, org_id, import_id, "cancelled"):
        raise Conflict(f"import {import_id} is over, its status is {status}")
    return await store.find(conn, org_id, import_id)


def _not_ready(given: Import) -> Conflict:
    return Conflict(f"import {given.import_id} cannot be started, its status is {given.status}")
