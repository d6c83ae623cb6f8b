"""Merging contacts: one of two stays, gets what the other one had, and the other one is a contact no more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from perigee.contacts.merging import store
from perigee.contacts.merging.cards import Card, Choice, merged
from perigee.contacts.merging.types import Merge, Pair
from perigee.contacts.read import not_found
from perigee.db.plans import by_key
from perigee.db.pool import Connection, Database
from perigee.errors import Conflict, Invalid, NotFound
from perigee.orders.facts import recount
from perigee.rfm.place import place_readers
from perigee.segments import kinds
from perigee.segments.live.notes import changed

SWEEP_SECONDS = 300.0
"""After a merge: by then nobody who had found the merged contact before still writes to it (a lease is 30 s)."""


async def merge_two(
    conn: Connection, org_id: int, pair: Pair, choice: Choice, *, by: str, now: datetime
) -> Merge:
    """Raises NotFound for a contact that is not there or deleted, Invalid, Conflict for two external ids."""
    if pair.survivor_id == pair.merged_id:
        if not await store.lock_cards(conn, org_id, pair):
            raise not_found(pair.survivor_id)
        raise Invalid.of("contact_id", pair.merged_id, "must be another contact")
    done, refused = await merge_pairs(conn, org_id, [pair], choice, by=by, now=now)
    if refused:
        raise refused[0]
    (found,) = await store.merges(conn, org_id, merge_id=done[0])
    return found


async def merge_pairs(
    conn: Connection, org_id: int, pairs: Sequence[Pair], choice: Choice, *, by: str, now: datetime
) -> tuple[list[int], list[NotFound | Conflict]]:
    """(ids of the merges, why others were not made). No contact may be in two pairs. Raises Invalid."""
    cards = await store.lock_cards(conn, org_id, (contact_id for pair in pairs for contact_id in pair))
    wanted: list[tuple[Pair, Card, Card, Card]] = []
    refused: list[NotFound | Conflict] = []
    for pair in pairs:
        if missing := [contact_id for contact_id in pair if contact_id not in cards]:
            refused.append(not_found(missing[0]))
            continue
        survivor, other = cards[pair.survivor_id], cards[pair.merged_id]
        try:
            wanted.append((pair, survivor, other, merged(survivor, other, choice, now)))
        except Conflict as error:
            refused.append(error)
    if not wanted:
        return [], refused
    merge_ids = await store.insert_merges(conn, org_id, wanted, by)
    await by_key(conn)
    await store.move(conn, org_id, merge_ids)
    await store.delete_merged(conn, org_id, [pair.merged_id for pair, *_ in wanted])
    await store.write_cards(conn, org_id, [card for *_, card in wanted])
    await _count_anew(conn, org_id, merge_ids)
    await place_readers(conn, org_id, sorted(pair.survivor_id for pair, *_ in wanted))
    await changed(conn, org_id, (one for pair, *_ in wanted for one in pair), kinds.ANY)
    return merge_ids, refused


async def _count_anew(conn: Connection, org_id: int, merge_ids: Sequence[int]) -> None:
    if buyers := await store.buyers_of(conn, org_id, merge_ids):
        await recount(conn, org_id, {pair.survivor_id for pair in buyers})


async def sweep(database: Database, undo_days: int, seconds: float = SWEEP_SECONDS) -> None:
    """Moves what came for merged contacts from those who had found them before; ends windows of undoing."""
    async with database.connection() as conn:
        due = await store.unswept(conn, seconds)
    for org_id, merge_ids in due:
        async with database.transaction() as conn:
            await by_key(conn)
            await store.move(conn, org_id, merge_ids)
            await _count_anew(conn, org_id, merge_ids)
            await store.note_swept(conn, org_id, merge_ids)
    async with database.transaction() as conn:
        await store.close_windows(conn, undo_days)
