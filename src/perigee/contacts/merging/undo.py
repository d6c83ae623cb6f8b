"""Undoing a merge: two contacts again, each with what was its."""

from __future__ import annotations

from psycopg.errors import UniqueViolation

from perigee.contacts.merging import store
from perigee.contacts.merging.cards import undone
from perigee.contacts.merging.types import Merge
from perigee.db.plans import by_key
from perigee.db.pool import Connection
from perigee.errors import Conflict, NotFound
from perigee.orders.facts import recount
from perigee.rfm.place import place_readers
from perigee.segments import kinds
from perigee.segments.live.notes import changed


async def undo(conn: Connection, org_id: int, merge_id: int, *, by: str) -> Merge:
    """What came after the merge stays the survivor's; values of its card that were changed since stay, too.

    Raises NotFound; Conflict when the merge was undone before, its window is over, the survivor is not there any more,
    or somebody else has the external id.
    """
    found = await store.lock_merge(conn, org_id, merge_id)
    if found is None:
        raise NotFound(f"Merge with id='{merge_id}' is not found")
    if found.undone_at is not None:
        raise Conflict(f"merge {merge_id} was undone before")
    if found.survivor_card is None or found.merged_card is None or found.written_card is None:
        raise Conflict(f"merge {merge_id} is too long ago to be undone")
    cards = await store.lock_cards(conn, org_id, [found.survivor_id])
    if found.survivor_id not in cards:
        later = await store.later_merge(conn, org_id, found.survivor_id)
        undo_first = f"; undo merge {later} first" if later else ""
        raise Conflict(f"contact {found.survivor_id}, the survivor, is not there any more{undo_first}")
    survivor = undone(cards[found.survivor_id], found.survivor_card, found.written_card)
    await store.write_cards(conn, org_id, [survivor])
    try:
        await store.bring_back(conn, org_id, found.merged_card)
    except UniqueViolation:
        raise Conflict(
            f"externalCustomerId='{found.merged_card['external_id'][:80]}' is another contact's by now"
        ) from None
    both = sorted([found.survivor_id, found.merged_id])
    buyers = await store.buyers_of(conn, org_id, [merge_id])
    await by_key(conn)
    await store.move_back(conn, org_id, merge_id)
    if buyers:
        await recount(conn, org_id, set(both))
        await store.forget_empty_facts(conn, org_id, both)
    await place_readers(conn, org_id, both)
    await changed(conn, org_id, both, kinds.ANY)
    await store.close_merge(conn, org_id, merge_id, by)
    (merge,) = await store.merges(conn, org_id, merge_id=merge_id)
    return merge
