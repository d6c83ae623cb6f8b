"""Puts contacts into the cell that their facts say, set-wise."""

from __future__ import annotations

from collections.abc import Sequence

from perigee.db.pool import Connection
from perigee.rfm import store
from perigee.rfm.moves import tell
from perigee.segments import kinds
from perigee.segments.live.notes import changed


async def place_buyers(conn: Connection, org_id: int, contact_ids: Sequence[int]) -> None:
    """By their order facts, which the caller has just written and holds locked. `contact_ids` sorted.

    The caller tells the live segments (`orders.facts`). The columns are those of the grid's day, which a timer moves on (`rfm.day`), so the clock matters nowhere else.
    """
    await tell(conn, org_id, "sales", await store.place(conn, org_id, "sales", contact_ids))


async def place_readers(conn: Connection, org_id: int, contact_ids: Sequence[int]) -> None:
    """By the mails they opened. `contact_ids` sorted. Whoever does the same for this organisation is waited for."""
    await store.lock_mail(conn, org_id)
    await tell(conn, org_id, "mail", await store.place(conn, org_id, "mail", contact_ids))
    await changed(conn, org_id, contact_ids, kinds.RFM)
