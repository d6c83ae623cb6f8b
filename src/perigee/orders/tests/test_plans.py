"""The set statements find rows by their whole key even where the statistics know nothing (db/plans.py).

Statistics from when a table held a few rows of another organisation are what a shop's first big import meets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg._queries import PostgresQuery
from psycopg.adapt import Transformer

from perigee.db import plans
from perigee.db.pool import Database
from perigee.events.store import q as events
from perigee.orders.store import q as orders
from perigee.orders.tests.conftest import Shop, wire_order
from perigee.rfm.store import q as rfm


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


async def indexes(db: Database, text: str) -> set[str]:
    """Indexes of the kept plan; a table that is read whole stands among them by its name."""
    names = dict.fromkeys(re.findall(r"(?<!%)%\((\w+)\)s", text))
    query = PostgresQuery(Transformer())
    query.convert(text.encode(), names)
    async with db.transaction() as conn:
        await plans.by_key(conn)
        await conn.execute(b"prepare checked as " + query.query)
        values = ", ".join(
            "'1'" if name in ("org_id", "narrow") else "'{1}'" if name.endswith("_from") else "''"
            for name in query._order or names
        )
        row = await (
            await conn.execute(f"explain (format json) execute checked ({values})".encode())
        ).fetchone()
        await conn.execute("deallocate checked")
    assert row is not None
    (top,) = row[0]
    found = set()
    for node in nodes(top["Plan"]):
        if "Index Name" in node:
            found.add(node["Index Name"])
        elif node["Node Type"] == "Seq Scan":
            found.add(node["Relation Name"])
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            events.match_people,
            {
                "contact_pkey",
                "contact_external_id",
                "contact_email",
                "contact_phone",
                "contact_key",
                "push_token_token",
            },
        ),
        (orders.lock_orders, {"orders_org_id_external_order_id_key"}),
        (orders.count_facts, {"orders_contact", "organisation_pkey"}),
        (orders.delete_items, {"order_item_pkey"}),
        (orders.lock_facts, {"contact_orders_pkey"}),
        (rfm.lock_cells, {"contact_rfm_pkey"}),
        (
            rfm.place_sales,
            {"contact_rfm_pkey", "contact_orders_pkey", "organisation_pkey", "rfm_grid_pkey"},
        ),
    ],
)
async def test_every_look_up_takes_the_index_of_its_whole_key(
    shop: Shop, text: str, expected: set[str]
) -> None:
    await shop.store(wire_order(items=[{"externalItemId": "A", "quantity": 1}]))
    async with shop.db.connection() as conn:
        for table in (
            "contact",
            "orders",
            "order_item",
            "contact_orders",
            "push_token",
            "organisation",
            "contact_rfm",
            "rfm_grid",
        ):
            await conn.execute(f"analyze {table}".encode())
    assert await indexes(shop.db, text) == expected
