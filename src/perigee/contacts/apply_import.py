"""Applies a stored import: contacts, lists and events in one transaction (contract 10.1).

A worker that is killed leaves nothing behind, and the job is run again; a job that is run twice finds the import
done. Order between imports is not promised by the wire.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from perigee.contacts import fields, store
from perigee.contacts import import_store as imports
from perigee.contacts.bulk_options import Options
from perigee.contacts.import_store import Import, Outcome
from perigee.contacts.rows import ContactRow
from perigee.contacts.upsert import Action, Done, Result, upsert
from perigee.db.group_commit import run_set
from perigee.db.pool import Connection, Database
from perigee.events.record import record
from perigee.events.types import NewEvent
from perigee.segments import kinds
from perigee.segments.live.notes import changed
from perigee.segments.static import ensure_static


async def apply_import(database: Database, org_id: int, session_id: UUID) -> None:
    """Raises what the database raises; races for one person are run again by themselves."""
    async with database.transaction() as conn:
        if not await imports.begin(conn, org_id, session_id):
            return
    await run_set(database, _apply, org_id, [session_id])


async def _apply(conn: Connection, org_id: int, items: Sequence[UUID]) -> list[None]:
    for session_id in items:
        stored = await imports.lock(conn, org_id, session_id)
        if stored is not None:
            await imports.finish(conn, org_id, session_id, await _write(conn, org_id, stored))
    return [None] * len(items)


async def _write(conn: Connection, org_id: int, stored: Import) -> Outcome:
    rows, options = stored.rows, stored.options
    lost = await fields.apply_types(conn, org_id, rows)
    results = await upsert(conn, org_id, rows, options.policy(stored.source))
    await consequences(conn, org_id, rows, results, options)
    return _outcome(rows, results, options, lost)


async def consequences(
    conn: Connection, org_id: int, rows: Sequence[ContactRow], results: Sequence[Result], options: Options
) -> None:
    """What an import does beside writing the contacts: lists joined and left, an event for each new one."""
    await _change_lists(conn, org_id, results, options)
    if options.event_key is not None:
        await record(conn, org_id, _events(rows, results, options.event_key))


async def _change_lists(conn: Connection, org_id: int, results: Sequence[Result], options: Options) -> None:
    """Lists are made by the import and not before (contract 10.1); those to leave need not exist."""
    written = [one for one in results if isinstance(one, Done) and one.action is not Action.SKIPPED]
    contact_ids = list(dict.fromkeys(one.contact_id for one in written))
    if not contact_ids:
        return
    joined = await ensure_static(conn, org_id, options.groups)
    await store.join_segments(
        conn,
        org_id,
        [(segment_id, contact_id) for segment_id in joined.values() for contact_id in contact_ids],
    )
    if joined:
        await changed(conn, org_id, contact_ids, kinds.LISTS)
    if options.groups_exclude:
        await store.leave_segments(conn, org_id, options.groups_exclude, contact_ids)


def _events(rows: Sequence[ContactRow], results: Sequence[Result], type_key: str) -> list[NewEvent]:
    """One event per new contact; the event key is its email, else its phone."""
    return [
        NewEvent(
            type_key,
            row.email or row.phone,
            contact_id=result.contact_id,
            params={
                "contactId": result.contact_id,
                "EmailAddress": row.email or "",
                "SMS": row.phone or "",
            },
            source="import",
        )
        for row, result in zip(rows, results, strict=True)
        if isinstance(result, Done) and result.action is Action.CREATED
    ]


def _outcome(rows: Sequence[ContactRow], results: Sequence[Result], options: Options, lost: int) -> Outcome:
    counts = dict.fromkeys(Action, 0)
    failures: list[str] = []
    values: list[str] = []
    ids: list[int] = []
    for row, result in zip(rows, results, strict=True):
        if isinstance(result, Done):
            counts[result.action] += 1
            values.append(options.dedupe_value(row) or row.external_id or "")
            ids.append(result.contact_id)
        else:
            failures.append(result.message)
    return Outcome(
        created=counts[Action.CREATED],
        updated=counts[Action.UPDATED] + counts[Action.RESTORED],
        skipped=counts[Action.SKIPPED],
        failures=failures,
        mapping=(values, ids),
        description=f"{lost} values of additional fields did not fit and were not saved" if lost else None,
    )
