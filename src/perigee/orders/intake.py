"""One call of bulk orders: at most 1,000, each stored or refused on its own (contract 17.1)."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from perigee.db import statistics
from perigee.db.group_commit import run_set
from perigee.db.pool import Database
from perigee.errors import Invalid
from perigee.lib.scalars import one_or_many
from perigee.orders.clean import Refused, clean_all
from perigee.orders.upsert import upsert

BULK = 100
"""From so many orders on, a call may change what the planner must know."""


class OrdersIn(msgspec.Struct):
    """Body of POST v1/orders. Orders stay as they came: a refused one is handed back unchanged."""

    orders: Any


async def take(database: Database, org_id: int, body: OrdersIn, *, zone: str, limit: int) -> list[Refused]:
    """Stores the good orders in one transaction and returns the bad ones. Raises Invalid over the limit."""
    given = one_or_many(body.orders)
    if len(given) > limit:
        raise Invalid(
            f"orders: {len(given)} orders are more than {limit}, the most for one call", field="orders"
        )
    good, refused = clean_all(given, ZoneInfo(zone))
    if good:
        await run_set(database, upsert, org_id, good)
    if len(good) >= BULK:
        await statistics.refresh(database)
    return refused
