"""Handing codes out: each code goes to one person, once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from perigee.db.pool import Connection
from perigee.promocodes import store
from perigee.promocodes.validity import valid_at


async def take(
    conn: Connection,
    org_id: int,
    contact_id: int,
    *,
    type: str | None = None,
    discount: int | None = None,
    days: int | None = None,
    zone: tzinfo = UTC,
    now: datetime | None = None,
) -> str | None:
    """A free code for one person; None when there is none. As `take_all`."""
    taken = await take_all(
        conn, org_id, [contact_id], type=type, discount=discount, days=days, zone=zone, now=now
    )
    return taken.get(contact_id)


async def take_all(
    conn: Connection,
    org_id: int,
    contact_ids: Sequence[int],
    *,
    type: str | None = None,
    discount: int | None = None,
    days: int | None = None,
    zone: tzinfo = UTC,
    now: datetime | None = None,
) -> dict[int, str]:
    """Codes by contact id. Who is left out when the pool runs dry is not in the answer.

    `type` and `discount` None take any; `days`: the code must hold for so many days from tomorrow in `zone`. A code
    is the person's when the caller's transaction commits, and free again when it does not. Somebody who is asked
    for twice, in two calls, gets two codes: a step that may run twice remembers the first.
    """
    people = list(dict.fromkeys(contact_ids))
    if not people:
        return {}
    moment = valid_at(now or datetime.now(UTC), zone, days)
    return await store.take_codes(conn, org_id, people, type=type, discount=discount, valid_at=moment)
