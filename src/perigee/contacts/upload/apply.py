"""Applies a file of contacts: fetched whole, looked through, then written step by step (contract 10.2).

Each step is one transaction that also moves the file's position. A worker that is killed leaves whole steps behind;
whoever goes on fetches the file again and skips what is through, or starts anew when the file has changed since. Two
workers on one file cannot write the same step (`store.lock_step`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

import msgspec

from perigee.contacts import fields
from perigee.contacts.apply_import import consequences
from perigee.contacts.bulk_options import Options
from perigee.contacts.policy import Policy
from perigee.contacts.upload import store
from perigee.contacts.upload.headings import columns
from perigee.contacts.upload.sheet import Step, steps, survey
from perigee.contacts.upload.store import Progress
from perigee.contacts.upsert import Action, Done, Result, upsert
from perigee.db.group_commit import run_set
from perigee.db.pool import Connection, Database
from perigee.files.download import Downloaded, downloaded
from perigee.files.links import open_link
from perigee.lib.outside import Limits, Outside

STEP: Final = 2000
"""Rows of one transaction."""


@dataclass(frozen=True, slots=True)
class Upload:
    org_id: int
    session_id: UUID
    options: Options
    digest: bytes


async def apply_upload(
    database: Database, outside: Outside, sealing: bytes, limits: Limits, org_id: int, session_id: UUID
) -> None:
    """Raises Invalid for a file that cannot be used, Unreachable, and what the database raises."""
    async with database.transaction() as conn:
        begun = await store.begin(conn, org_id, session_id)
    if begun is None:
        return
    sealed, options = begun
    async with downloaded(outside, open_link(sealing, org_id, sealed), limits) as got:
        upload = Upload(org_id, session_id, options, got.digest)
        if await _write(database, upload, got):
            async with database.transaction() as conn:
                await store.end(conn, org_id, session_id, "FINISHED")


async def _write(database: Database, upload: Upload, got: Downloaded) -> bool:
    """False: another worker is at it, or was and has ended it."""
    found = await asyncio.to_thread(survey, got.file)
    async with database.transaction() as conn:
        field_ids = await store.field_ids(conn, upload.org_id)
        named = columns(found.headings, field_ids, upload.options.dedupe_on)
        ignored = [
            name for name, column in zip(found.headings, named, strict=True) if column.kind == "ignored"
        ]
        position = await store.resume(
            conn,
            upload.org_id,
            upload.session_id,
            digest=upload.digest,
            total=found.rows,
            ignored=[name for name in ignored if name],
        )
    if position is None:
        return False
    with closing(steps(got.file, field_ids, upload.options, skip=position, size=STEP)) as source:
        # In a thread: parsing takes its time, and the worker's loop also sends messages.
        while (step := await asyncio.to_thread(next, source, None)) is not None:
            (written,) = await run_set(database, _apply_step, upload.org_id, [(upload, step)])
            if not written:
                return False
    return True


async def _apply_step(conn: Connection, org_id: int, items: Sequence[tuple[Upload, Step]]) -> list[bool]:
    return [await _apply_one(conn, upload, step) for upload, step in items]


async def _apply_one(conn: Connection, upload: Upload, step: Step) -> bool:
    org_id, session_id = upload.org_id, upload.session_id
    if not await store.lock_step(conn, org_id, session_id, position=step.position, digest=upload.digest):
        return False
    rows = [msgspec.structs.replace(row) for row in step.contacts]  # a lost race runs this again
    lost = await fields.apply_types(conn, org_id, rows)
    results = await upsert(conn, org_id, rows, policy(upload.options))
    await consequences(conn, org_id, rows, results, upload.options)
    await store.finish_step(conn, org_id, session_id, _progress(step, results, lost))
    return True


def policy(options: Options) -> Policy:
    """A file's cells are written where they hold something; a blank one changes nothing."""
    made = options.policy("import")
    return replace(made, write=replace(made.write, fields=None))


def _progress(step: Step, results: Sequence[Result], lost: int) -> Progress:
    done = [result for result in results if isinstance(result, Done)]
    actions = [result.action for result in done]
    refused = [
        f"line {line}: {result.message}"
        for line, result in zip(step.lines, results, strict=True)
        if not isinstance(result, Done)
    ]
    return Progress(
        position=step.position,
        length=step.length,
        created=actions.count(Action.CREATED),
        updated=actions.count(Action.UPDATED) + actions.count(Action.RESTORED),
        skipped=actions.count(Action.SKIPPED),
        failures=step.failures + refused,
        lost=lost,
        contact_ids=[result.contact_id for result in done],
    )
