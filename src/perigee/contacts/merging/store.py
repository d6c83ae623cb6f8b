"""Typed access to the statements of merges."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal

from perigee.contacts.merging import places
from perigee.contacts.merging.cards import Card
from perigee.contacts.merging.types import (
    SHOWN,
    DuplicateCounts,
    DuplicateGroup,
    Merge,
    MergeRun,
    Pair,
    Shared,
    SharedCount,
    StoredMerge,
)
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.lib import json_edge

q = load(__package__)


def _json(value: object) -> str:
    return json_edge.encode(value).decode()


def _card(text: str | None) -> Card | None:
    """Decimals exactly as they are."""
    return None if text is None else json.loads(text, parse_float=Decimal)


async def groups(
    conn: Connection, org_id: int, shared: Shared, *, after: str | None, rows: int
) -> list[DuplicateGroup]:
    query = q.shared_emails if shared == "email" else q.shared_phones
    cursor = await conn.execute(query, {"org_id": org_id, "after": after, "rows": rows, "most": SHOWN})
    return [DuplicateGroup(*row) for row in await cursor.fetchall()]


async def address_of(conn: Connection, org_id: int, shared: Shared, contact_id: int) -> str | None:
    cursor = await conn.execute(q.addresses_of, {"org_id": org_id, "contact_id": contact_id})
    row = await cursor.fetchone()
    return None if row is None else row[0 if shared == "email" else 1]


async def count(conn: Connection, org_id: int) -> DuplicateCounts:
    row = await (await conn.execute(q.count_shared, {"org_id": org_id})).fetchone()
    assert row is not None
    return DuplicateCounts(SharedCount(*row[:2]), SharedCount(*row[2:]))


async def lock_cards(conn: Connection, org_id: int, contact_ids: Iterable[int]) -> dict[int, Card]:
    """Of those that are alive."""
    cursor = await conn.execute(q.lock_cards, {"org_id": org_id, "contact_ids": sorted(set(contact_ids))})
    cards = [_card(text) for (text,) in await cursor.fetchall()]
    return {card["contact_id"]: card for card in cards if card is not None}


async def insert_merges(
    conn: Connection, org_id: int, merges: Sequence[tuple[Pair, Card, Card, Card]], by: str
) -> list[int]:
    """(who, the survivor's card, the other's, the survivor's from now on)."""
    given = _json([[*pair, *cards] for pair, *cards in merges])
    cursor = await conn.execute(q.insert_merges, {"org_id": org_id, "merges": given, "merged_by": by})
    return sorted(merge_id for (merge_id,) in await cursor.fetchall())


async def move(conn: Connection, org_id: int, merge_ids: Sequence[int]) -> None:
    values = {"org_id": org_id, "merge_ids": list(merge_ids)}
    for table in places.PLACES:
        await conn.execute(places.move(table).encode(), values)
    await conn.execute(q.move_members, values)


async def move_back(conn: Connection, org_id: int, merge_id: int) -> None:
    values = {"org_id": org_id, "merge_id": merge_id}
    for table in places.PLACES:
        await conn.execute(places.move_back(table).encode(), values)
    await conn.execute(q.move_back_members, values)


async def delete_merged(conn: Connection, org_id: int, contact_ids: Sequence[int]) -> None:
    await conn.execute(q.delete_merged, {"org_id": org_id, "contact_ids": list(contact_ids)})


async def write_cards(conn: Connection, org_id: int, cards: Sequence[Card]) -> None:
    await conn.execute(q.write_cards, {"org_id": org_id, "cards": _json(cards)})


async def bring_back(conn: Connection, org_id: int, card: Card) -> None:
    await conn.execute(q.bring_back, {"org_id": org_id, "card": _json(card)})


async def buyers_of(conn: Connection, org_id: int, merge_ids: Sequence[int]) -> list[Pair]:
    cursor = await conn.execute(q.buyers_of, {"org_id": org_id, "merge_ids": list(merge_ids)})
    return [Pair(*row) for row in await cursor.fetchall()]


async def forget_empty_facts(conn: Connection, org_id: int, contact_ids: Sequence[int]) -> None:
    await conn.execute(q.forget_empty_facts, {"org_id": org_id, "contact_ids": list(contact_ids)})


async def lock_merge(conn: Connection, org_id: int, merge_id: int) -> StoredMerge | None:
    row = await (await conn.execute(q.lock_merge, {"org_id": org_id, "merge_id": merge_id})).fetchone()
    if row is None:
        return None
    survivor_id, merged_id, survivor, merged, written, undone_at = row
    return StoredMerge(survivor_id, merged_id, _card(survivor), _card(merged), _card(written), undone_at)


async def later_merge(conn: Connection, org_id: int, contact_id: int) -> int | None:
    row = await (await conn.execute(q.later_merge, {"org_id": org_id, "contact_id": contact_id})).fetchone()
    return None if row is None else int(row[0])


async def close_merge(conn: Connection, org_id: int, merge_id: int, by: str) -> None:
    await conn.execute(q.close_merge, {"org_id": org_id, "merge_id": merge_id, "undone_by": by})


async def merges(
    conn: Connection,
    org_id: int,
    *,
    contact_id: int | None = None,
    merge_id: int | None = None,
    before: int = 0,
    rows: int = 1,
) -> list[Merge]:
    """Newest first."""
    values = {
        "org_id": org_id,
        "contact_id": contact_id,
        "merge_id": merge_id,
        "before": before,
        "rows": rows,
    }
    return [Merge(*row) for row in await (await conn.execute(q.list_merges, values)).fetchall()]


async def unswept(conn: Connection, seconds: float) -> list[tuple[int, list[int]]]:
    return await (await conn.execute(q.unswept, {"seconds": seconds})).fetchall()


async def note_swept(conn: Connection, org_id: int, merge_ids: Sequence[int]) -> None:
    await conn.execute(q.note_swept, {"org_id": org_id, "merge_ids": list(merge_ids)})


async def close_windows(conn: Connection, days: int) -> None:
    await conn.execute(q.close_windows, {"days": days})


async def insert_run(conn: Connection, org_id: int, shared: str, keep: str, groups: int, by: str) -> int:
    values = {"org_id": org_id, "shared": shared, "keep": keep, "groups": groups, "asked_by": by}
    row = await (await conn.execute(q.insert_run, values)).fetchone()
    assert row is not None
    return int(row[0])


async def run(conn: Connection, org_id: int, run_id: int) -> MergeRun | None:
    row = await (await conn.execute(q.get_run, {"org_id": org_id, "run_id": run_id})).fetchone()
    return None if row is None else MergeRun(*row)


async def begin_run(conn: Connection, org_id: int, run_id: int) -> tuple[Shared, str, str] | None:
    """(address, whom to keep, who asked); None: it has ended."""
    row = await (await conn.execute(q.begin_run, {"org_id": org_id, "run_id": run_id})).fetchone()
    return row


async def lock_run(conn: Connection, org_id: int, run_id: int) -> bool:
    cursor = await conn.execute(q.lock_run, {"org_id": org_id, "run_id": run_id})
    return await cursor.fetchone() is not None


async def advance_run(
    conn: Connection, org_id: int, run_id: int, *, seen: int, merged: int, refused: int
) -> None:
    values = {"org_id": org_id, "run_id": run_id, "seen": seen, "merged": merged, "refused": refused}
    await conn.execute(q.advance_run, values)


async def end_run(conn: Connection, org_id: int, run_id: int, state: str) -> bool:
    """False: it had ended before."""
    values = {"org_id": org_id, "run_id": run_id, "state": state}
    return await (await conn.execute(q.end_run, values)).fetchone() is not None
