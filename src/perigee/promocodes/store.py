"""Typed access to the pool of promo codes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from perigee.db import plans
from perigee.db.columns import pack, pack_flags, pack_numbers
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.promocodes.types import Filters, NewCode, PromoCode

q = load(__package__)


async def upsert_codes(conn: Connection, org_id: int, codes: Sequence[NewCode]) -> int:
    """Adds codes or changes known ones; returns how many different ones there were. Of repeats the last counts.

    A code in use stays so, with the contact who has it, unless `in_use` is False.
    """
    latest = {code.code: code for code in codes}
    given = [latest[code] for code in sorted(latest)]
    if not given:
        return 0
    await plans.by_key(conn)
    if freed := [code.code for code in given if code.in_use is False]:
        await conn.execute(q.free_codes, {"org_id": org_id, "codes": pack(freed)})
    await conn.execute(
        q.upsert_codes,
        {
            "org_id": org_id,
            "codes": pack(code.code for code in given),
            "discounts": pack_numbers(code.discount for code in given),
            "expirations": pack(code.expires_at.isoformat() for code in given),
            "types": pack(code.type for code in given),
            "in_use": pack_flags(code.in_use for code in given),
        },
    )
    return len(given)


async def list_codes(
    conn: Connection, org_id: int, filters: Filters, *, rows: int, skip: int = 0, after: str | None = None
) -> list[PromoCode]:
    """By code."""
    values = {"org_id": org_id, "rows": rows, "skip": skip, "after": after, **filters._asdict()}
    cursor = await conn.execute(q.list_codes, values, prepare=False)
    return [PromoCode(*row) for row in await cursor.fetchall()]


async def count_codes(conn: Connection, org_id: int, filters: Filters) -> int:
    cursor = await conn.execute(q.count_codes, {"org_id": org_id, **filters._asdict()}, prepare=False)
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def take_codes(
    conn: Connection,
    org_id: int,
    contact_ids: Sequence[int],
    *,
    type: str | None,
    discount: int | None,
    valid_at: datetime,
) -> dict[int, str]:
    """Code by contact, for as many contacts as there are free codes. `contact_ids` without repeats."""
    cursor = await conn.execute(
        q.take_codes,
        {
            "org_id": org_id,
            "contact_ids": list(contact_ids),
            "wanted": len(contact_ids),
            "type": type,
            "discount": discount,
            "valid_at": valid_at,
        },
        prepare=False,
    )
    return dict(await cursor.fetchall())
