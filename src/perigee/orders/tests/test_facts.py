"""The order facts of contacts equal a count of their orders, whatever happened before."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from perigee.contacts.delete import delete_all
from perigee.orders.delete import Period, delete_one, delete_some
from perigee.orders.facts import recount
from perigee.orders.tests.conftest import Shop, wire_order
from perigee.orders.types import STATUSES
from perigee.orders.upsert import set_statuses
from perigee.rfm.cells import cell

FIRST = datetime(2025, 1, 1, tzinfo=UTC)
WORDS = sorted(STATUSES | {"READY_FOR_PICKUP"})
NOBODY = (0, Decimal(0), None, None, 0, Decimal(0), None, None)


async def counted(shop: Shop) -> dict[int, tuple[Any, ...]]:
    """By contact, from the orders, in Python."""
    of: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for order in await shop.rows("select * from orders where org_id = %(org_id)s and contact_id is not null"):
        of[order["contact_id"]].append(order)

    def half(orders: list[dict[str, Any]]) -> tuple[Any, ...]:
        times = [order["ordered_at"] for order in orders]
        total = sum((order["total"] for order in orders if order["currency"] == "USD"), Decimal(0))
        return len(orders), total, min(times, default=None), max(times, default=None)

    return {
        contact_id: (
            *half([one for one in orders if one["status"] not in ("CANCELLED", "ABANDONED_SHOPPING_CART")]),
            *half([one for one in orders if one["status"] == "DELIVERED"]),
        )
        for contact_id, orders in of.items()
    }


async def kept(shop: Shop) -> dict[int, tuple[Any, ...]]:
    rows = await shop.rows("select * from contact_orders where org_id = %(org_id)s")
    names = (
        "orders",
        "total",
        "first_at",
        "last_at",
        "delivered",
        "delivered_total",
        "delivered_first",
        "delivered_last",
    )
    return {row["contact_id"]: tuple(row[name] for name in names) for row in rows}


async def agree(shop: Shop) -> None:
    """Facts and sales cells are those of the orders; who lost all orders has facts of zero, or none."""
    expected, found = await counted(shop), await kept(shop)
    assert {who: facts for who, facts in found.items() if facts != NOBODY} == {
        who: facts for who, facts in expected.items() if facts != NOBODY
    }
    today = datetime.now(UTC).date()
    assert {
        row["contact_id"]: (row["recency"], row["frequency"], row["times"], row["total"])
        for row in await shop.rows("select * from contact_rfm where org_id = %(org_id)s and grid = 'sales'")
    } == {
        who: (*cell((today - facts[7].date()).days, facts[4]), facts[4], facts[5])
        for who, facts in expected.items()
        if facts[4]
    }


class Chance:
    """Does something to orders and to the people who made them."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self.shop = shop
        self.dice = Random(seed)

    async def store(self) -> None:
        pick = self.dice
        orders = [
            wire_order(
                f"SO-{pick.randrange(12)}",
                externalCustomerId=f"CRM-{pick.randrange(5)}",
                status=pick.choice(WORDS),
                totalCost=pick.randrange(10_000) / 100,
                currency=pick.choice(["USD", "USD", "EUR", None]),
                date=(FIRST + timedelta(hours=pick.randrange(9000))).isoformat(),
            )
            for _ in range(pick.randrange(1, 6))
        ]
        await self.shop.store(*orders)

    async def status(self) -> None:
        changes = [(f"SO-{self.dice.randrange(12)}", self.dice.choice(WORDS)) for _ in range(3)]
        async with self.shop.db.transaction() as conn:
            await set_statuses(conn, self.shop.org_id, changes)

    async def delete(self) -> None:
        async with self.shop.db.transaction() as conn:
            await delete_one(conn, self.shop.org_id, f"SO-{self.dice.randrange(12)}")

    async def delete_period(self) -> None:
        first = FIRST + timedelta(hours=self.dice.randrange(9000))
        async with self.shop.db.transaction() as conn:
            await delete_some(conn, self.shop.org_id, Period(first, first + timedelta(days=1)))

    async def leave(self) -> None:
        """Softly, or for good."""
        people = await self.shop.contacts()
        if people:
            who = self.dice.choice(people)["contact_id"]
            async with self.shop.db.transaction() as conn:
                await delete_all(conn, self.shop.org_id, [who], erase=self.dice.random() < 0.5)

    async def give_away(self) -> None:
        """What a merge of contacts does: the orders of one become another's, and both are counted anew."""
        people = [one["contact_id"] for one in await self.shop.contacts()]
        if len(people) > 1:
            start, end = self.dice.sample(people, 2)
            async with self.shop.db.transaction() as conn:
                await conn.execute(
                    "update orders set contact_id = %s where org_id = %s and contact_id = %s",
                    (end, self.shop.org_id, start),
                )
                await recount(conn, self.shop.org_id, [start, end])

    async def go(self) -> None:
        deeds = [self.store, self.status, self.delete, self.delete_period, self.leave, self.give_away]
        await self.dice.choices(deeds, weights=[5, 3, 2, 1, 1, 2])[0]()


@pytest.mark.parametrize("seed", range(4))
async def test_facts_equal_a_recount_after_anything(shop: Shop, seed: int) -> None:
    chance = Chance(shop, seed)
    for _ in range(10):
        for _ in range(4):
            await chance.go()
        await agree(shop)
    assert len(await shop.rows("select 1 from orders where org_id = %(org_id)s")) > 2


async def test_nobody_to_count_is_no_question(shop: Shop) -> None:
    async with shop.db.transaction() as conn:
        await recount(conn, shop.org_id, [])
    assert await kept(shop) == {}
