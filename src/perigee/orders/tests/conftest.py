"""A shop to bring orders to, and short ways to write and read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from psycopg.rows import dict_row

from perigee.db.group_commit import run_set
from perigee.db.pool import Database
from perigee.orders.clean import clean
from perigee.orders.upsert import upsert

UTC = ZoneInfo("UTC")


def wire_order(external_order_id: str = "SO-1", **members: Any) -> dict[str, Any]:
    """A good order of Anna's; members change or add to it."""
    order = {
        "externalOrderId": external_order_id,
        "externalCustomerId": "CRM-1",
        "totalCost": 59.9,
        "status": "DELIVERED",
        "date": "2025-05-04T10:11:10Z",
        "currency": "USD",
    }
    return {name: value for name, value in (order | members).items() if value is not None}


class Shop:
    def __init__(self, db: Database, org_id: int) -> None:
        self.db = db
        self.org_id = org_id

    async def store(self, *orders: dict[str, Any]) -> Sequence[Any]:
        """One call: order ids."""
        return await run_set(self.db, upsert, self.org_id, [clean(order, UTC) for order in orders])

    async def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        async with self.db.connection() as conn, conn.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query.encode(), {"org_id": self.org_id, **values})
            return await cursor.fetchall()

    async def order(self, external_order_id: str) -> dict[str, Any]:
        (row,) = await self.rows(
            "select * from orders where org_id = %(org_id)s and external_order_id = %(id)s",
            id=external_order_id,
        )
        return row

    async def items(self, external_order_id: str) -> list[dict[str, Any]]:
        return await self.rows(
            "select order_item.* from order_item join orders using (org_id, order_id) "
            "where org_id = %(org_id)s and external_order_id = %(id)s order by position",
            id=external_order_id,
        )

    async def facts(self, external_id: str) -> dict[str, Any]:
        (row,) = await self.rows(
            "select contact_orders.* from contact_orders join contact using (org_id, contact_id) "
            "where org_id = %(org_id)s and external_id = %(id)s",
            id=external_id,
        )
        return row

    async def contacts(self) -> list[dict[str, Any]]:
        return await self.rows("select * from contact where org_id = %(org_id)s order by contact_id")

    async def events(self) -> list[dict[str, Any]]:
        return await self.rows(
            "select event_type.key, event.* from event join event_type using (org_id, event_type_id) "
            "where org_id = %(org_id)s order by event_id"
        )


@pytest.fixture
async def shop(db: Database) -> Shop:
    async with db.connection() as conn:
        cursor = await conn.execute("insert into organisation (name) values ('Shop') returning org_id")
        row = await cursor.fetchone()
    assert row is not None
    return Shop(db, row[0])
