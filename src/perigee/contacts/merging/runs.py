"""Merging all duplicates of an organisation: a job that goes through the groups step by step and can be cancelled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from perigee.contacts.merging import store
from perigee.contacts.merging.cards import Choice
from perigee.contacts.merging.merge import merge_pairs
from perigee.contacts.merging.types import DuplicateGroup, Keep, MergeRun, Pair, Shared
from perigee.db.pool import Connection, Database
from perigee.errors import Conflict, NotFound
from perigee.jobs import enqueue

MERGE_DUPLICATES: Final = "contacts.merge_duplicates"
STEP = 200
"""Groups of a transaction."""


async def start(conn: Connection, org_id: int, shared: Shared, keep: Keep, *, by: str) -> MergeRun:
    """Enqueues the job; runs of an organisation go one after the other."""
    counts = await store.count(conn, org_id)
    groups = (counts.email if shared == "email" else counts.phone).groups
    run_id = await store.insert_run(conn, org_id, shared, keep, groups, by)
    await enqueue(conn, MERGE_DUPLICATES, lock=f"merges of {org_id}", org_id=org_id, run_id=run_id)
    return await get(conn, org_id, run_id)


async def get(conn: Connection, org_id: int, run_id: int) -> MergeRun:
    """Raises NotFound."""
    found = await store.run(conn, org_id, run_id)
    if found is None:
        raise NotFound(f"Run with id='{run_id}' is not found")
    return found


async def cancel(conn: Connection, org_id: int, run_id: int) -> MergeRun:
    """What was merged stays merged, and each merge can be undone. Raises NotFound, Conflict when it has ended."""
    found = await get(conn, org_id, run_id)
    if not await store.end_run(conn, org_id, run_id, "cancelled"):
        raise Conflict(f"run {run_id} has ended: {found.state}")
    return await get(conn, org_id, run_id)


async def work(database: Database, org_id: int, run_id: int) -> None:
    """A killed worker's run is begun again from its first group: what is merged is no group any more."""
    async with database.transaction() as conn:
        begun = await store.begin_run(conn, org_id, run_id)
    if begun is None:
        return
    shared, keep, by = begun
    after: str | None = None
    while True:
        async with database.transaction() as conn:
            if not await store.lock_run(conn, org_id, run_id):
                return
            groups = await store.groups(conn, org_id, shared, after=after, rows=STEP)
            if not groups:
                await store.end_run(conn, org_id, run_id, "done")
                return
            merged, refused = await _merge_groups(conn, org_id, shared, groups, keep, by)
            await store.advance_run(conn, org_id, run_id, seen=len(groups), merged=merged, refused=refused)
            after = groups[-1].value


async def _merge_groups(
    conn: Connection, org_id: int, shared: Shared, groups: Sequence[DuplicateGroup], keep: str, by: str
) -> tuple[int, int]:
    """(contacts merged, contacts refused). One contact of each group at a time, so that no survivor is in two pairs."""
    cards = await store.lock_cards(conn, org_id, (one for group in groups for one in group.contact_ids))
    waiting: list[tuple[int, list[int]]] = []
    for group in groups:
        alive = [one for one in group.contact_ids if one in cards and cards[one][shared] == group.value]
        if len(alive) > 1:
            survivor, others = _order(
                alive, {one: cards[one]["external_id"] is not None for one in alive}, keep
            )
            waiting.append((survivor, others))
    merged = refused = 0
    while pairs := [Pair(survivor, others.pop(0)) for survivor, others in waiting if others]:
        done, not_done = await merge_pairs(conn, org_id, pairs, Choice(), by=by, now=datetime.now(UTC))
        merged += len(done)
        refused += len(not_done)
    return merged, refused


def _order(contact_ids: Sequence[int], known: dict[int, bool], keep: str) -> tuple[int, list[int]]:
    """(who stays, the others). Someone whom the calling system knows by its own id stays before others. Pure."""
    ordered = sorted(contact_ids, reverse=keep == "later")
    ordered.sort(key=lambda one: not known[one])
    return ordered[0], ordered[1:]
