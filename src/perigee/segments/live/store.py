"""Typed access to the tables of live segments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from msgspec import UNSET

from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.segments.live.types import Busy, Change, ContactSegment, Day, Due, Standing, State, Status

q = load(__package__)


async def watch(conn: Connection, org_id: int, kinds: int) -> None:
    await conn.execute(q.watch, {"org_id": org_id, "kinds": kinds})


async def request(
    conn: Connection, org_id: int, segment_id: int, kinds: int, now: datetime, *, rebuild: bool
) -> None:
    values = {"org_id": org_id, "segment_id": segment_id, "kinds": kinds, "now": now, "rebuild": rebuild}
    await conn.execute(q.request, values)


async def drop(conn: Connection, org_id: int, segment_id: int, now: datetime) -> None:
    await conn.execute(q.drop, {"org_id": org_id, "segment_id": segment_id, "now": now})


async def sweep(conn: Connection, org_id: int, segment_id: int, rows: int) -> int:
    """How many rows went."""
    values = {"org_id": org_id, "segment_id": segment_id, "rows": rows}
    return (await conn.execute(q.sweep, values)).rowcount


async def forget(conn: Connection, org_id: int, segment_id: int) -> None:
    await conn.execute(q.forget, {"org_id": org_id, "segment_id": segment_id})


async def busy(conn: Connection) -> list[Busy]:
    return [Busy(*row) for row in await (await conn.execute(q.busy)).fetchall()]


async def unchecked(conn: Connection, before: datetime) -> list[int]:
    return [row[0] for row in await (await conn.execute(q.unchecked, {"before": before})).fetchall()]


async def lock_organisation(conn: Connection, org_id: int) -> None:
    await conn.execute(q.lock_organisation, {"org_id": org_id})


async def try_lock_organisation(conn: Connection, org_id: int) -> bool:
    return await _flag(conn, q.try_lock_organisation, {"org_id": org_id})


async def claim(conn: Connection, org_id: int, lane: int, rows: int) -> list[tuple[int, int]]:
    """(contact id, kinds), taken out of the queue when the transaction commits."""
    cursor = await conn.execute(q.claim, {"org_id": org_id, "lane": lane, "rows": rows})
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def version(conn: Connection, org_id: int) -> int:
    row = await (await conn.execute(q.version, {"org_id": org_id})).fetchone()
    return int(row[0]) if row else 0


async def followed(conn: Connection, org_id: int) -> set[int]:
    return {row[0] for row in await (await conn.execute(q.followed, {"org_id": org_id})).fetchall()}


async def states(conn: Connection, org_id: int) -> dict[int, State]:
    rows = await (await conn.execute(q.states, {"org_id": org_id})).fetchall()
    return {row[0]: State(*row[1:]) for row in rows}


async def look_at(conn: Connection, org_id: int, version: int, now: datetime) -> None:
    await conn.execute(q.look_at, {"org_id": org_id, "version": version, "now": now})


async def reshaped(conn: Connection, org_id: int, kinds: Mapping[int, int], now: datetime) -> None:
    """Kinds by segment."""
    values = {
        "org_id": org_id,
        "segment_ids": list(kinds),
        "kinds": list(kinds.values()),
        "now": now,
    }
    await conn.execute(q.reshaped, values)


async def take_due(conn: Connection, now: datetime, lease: datetime) -> Due | None:
    row = await (await conn.execute(q.take_due, {"now": now, "lease": lease})).fetchone()
    return Due(row[0], row[1], row[2], lease) if row else None


async def follow(conn: Connection, due: Due, now: datetime) -> None:
    """Changes are worked in from now on."""
    values = {"org_id": due.org_id, "segment_id": due.segment_id, "lease": due.lease, "now": now}
    await conn.execute(q.follow, values)


async def widen(conn: Connection, org_id: int, segment_id: int, kinds: int) -> None:
    await conn.execute(q.widen, {"org_id": org_id, "segment_id": segment_id, "kinds": kinds})


async def mark_horizon(conn: Connection, org_id: int, segment_id: int, shape: str) -> None:
    await conn.execute(q.mark_horizon, {"org_id": org_id, "segment_id": segment_id, "shape": shape})


async def settled(conn: Connection, org_id: int, segment_id: int) -> bool:
    return await _flag(conn, q.settled, {"org_id": org_id, "segment_id": segment_id})


async def built(
    conn: Connection, due: Due, status: Status, *, now: datetime, took_ms: int, due_at: datetime
) -> int | None:
    """The number of its people; None when somebody asked for it anew meanwhile."""
    values = {
        "org_id": due.org_id,
        "segment_id": due.segment_id,
        "lease": due.lease,
        "status": status,
        "now": now,
        "took_ms": took_ms,
        "due_at": due_at,
    }
    row = await (await conn.execute(q.built, values)).fetchone()
    return int(row[0]) if row else None


async def failed(
    conn: Connection,
    org_id: int,
    segment_id: int,
    status: Status,
    error: str,
    due_at: datetime,
    lease: datetime | None = None,
) -> None:
    values = {
        "org_id": org_id,
        "segment_id": segment_id,
        "status": status,
        "error": error,
        "due_at": due_at,
        "lease": lease,
    }
    await conn.execute(q.failed, values)


async def put_back(conn: Connection, due: Due, due_at: datetime) -> None:
    values = {"org_id": due.org_id, "segment_id": due.segment_id, "lease": due.lease, "due_at": due_at}
    await conn.execute(q.put_back, values)


class Moved(NamedTuple):
    """How many came into a segment and left it in one step."""

    segment_id: int
    joined: int
    gone: int


async def tally(conn: Connection, org_id: int, moved: Sequence[Moved], day: date, now: datetime) -> None:
    values = {
        "org_id": org_id,
        "segment_ids": [one.segment_id for one in moved],
        "joined": [one.joined for one in moved],
        "gone": [one.gone for one in moved],
        "day": day,
        "now": now,
    }
    await conn.execute(q.tally, values)


async def note_count(conn: Connection, org_id: int, segment_id: int, day: date, count: int) -> None:
    values = {"org_id": org_id, "segment_id": segment_id, "day": day, "count": count}
    await conn.execute(q.note_count, values)


async def drained(conn: Connection, org_id: int, now: datetime) -> None:
    await conn.execute(q.drained, {"org_id": org_id, "now": now})


async def note_ended_blocks(conn: Connection, org_id: int, kinds: int, now: datetime) -> None:
    await conn.execute(q.note_ended_blocks, {"org_id": org_id, "kinds": kinds, "now": now})
    await conn.execute(q.blocks_seen, {"org_id": org_id, "now": now})


async def standing(conn: Connection, org_id: int, segment_ids: Iterable[int]) -> dict[int, Standing]:
    values = {"org_id": org_id, "segment_ids": list(segment_ids)}
    rows = await (await conn.execute(q.standing, values)).fetchall()
    return {
        segment_id: Standing(status, people, UNSET if at is None else at, UNSET if error is None else error)
        for segment_id, status, people, at, error in rows
    }


async def growth(conn: Connection, org_id: int, segment_id: int, first: date, last: date) -> list[Day]:
    values = {"org_id": org_id, "segment_id": segment_id, "first": first, "last": last}
    return [Day(*row) for row in await (await conn.execute(q.growth, values)).fetchall()]


async def segments_of_contact(conn: Connection, org_id: int, contact_id: int) -> list[ContactSegment]:
    values = {"org_id": org_id, "contact_id": contact_id}
    rows = await (await conn.execute(q.segments_of_contact, values)).fetchall()
    return [ContactSegment(*row) for row in rows]


async def changes(conn: Connection, org_id: int, segment_id: int, *, after: int, rows: int) -> list[Change]:
    values = {"org_id": org_id, "segment_id": segment_id, "after": after, "rows": rows}
    return [Change(*row) for row in await (await conn.execute(q.changes, values)).fetchall()]


async def erase(conn: Connection, org_id: int, contact_ids: Sequence[int]) -> None:
    """Takes people out who are erased; nobody is told that they left."""
    await conn.execute(q.erase, {"org_id": org_id, "contact_ids": list(contact_ids)})


async def prune_changes(conn: Connection, before: datetime) -> None:
    await conn.execute(q.prune_changes, {"before": before})


async def _flag(conn: Connection, query: str, values: dict[str, int]) -> bool:
    row = await (await conn.execute(query, values)).fetchone()
    return bool(row and row[0])
