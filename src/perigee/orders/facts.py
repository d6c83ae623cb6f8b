"""The order facts of contacts, and what follows from them.

Whoever changes orders, or whose orders they are, calls `recount` for every contact touched, old owner and new, in the
same transaction: upsert, status, deletion, and the merge of contacts.
"""

from __future__ import annotations

from collections.abc import Iterable

from perigee.db import plans
from perigee.db.pool import Connection
from perigee.orders import store
from perigee.rfm.place import place_buyers
from perigee.segments import kinds
from perigee.segments.live.notes import changed


async def recount(conn: Connection, org_id: int, contact_ids: Iterable[int]) -> None:
    """Count, total, first and last date of these contacts anew (`contact_orders`), and their cell in the sales grid.

    Orders are counted as they stand for this transaction; of a contact without orders the facts are zero and the cell
    is gone. A concurrent recount of one of them is waited for. From here on statements are planned by key.
    """
    if touched := sorted(set(contact_ids)):
        await plans.by_key(conn)
        await store.recount(conn, org_id, touched)
        await place_buyers(conn, org_id, touched)
        await changed(conn, org_id, touched, kinds.ORDERS | kinds.RFM)
