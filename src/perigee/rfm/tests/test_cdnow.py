"""The CDNOW data set (public research data, P. S. Fader and B. G. S. Hardie): our figures, an independent query and an
independent count of the file agree cell by cell."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from perigee.demo.purchases import CUSTOMERS, Purchase, read_purchases
from perigee.orders.facts import recount
from perigee.orders.tests.conftest import Shop, shop
from perigee.rfm import day
from perigee.rfm.read_store import cells as read_cells
from perigee.segments.conditions import read
from perigee.segments.people import preview

__all__ = ["shop"]

LAST = date(1998, 7, 1)
"""The day after the last purchase."""


def column(days: int) -> int:
    """Written out, not taken from the code under test."""
    if days <= 14:
        return 1
    if days <= 30:
        return 2
    if days <= 90:
        return 3
    if days <= 180:
        return 4
    return 5 if days <= 365 else 6


def row(orders: int) -> int:
    return {1: 1, 2: 2, 3: 3, 4: 3, 5: 3}.get(orders, 4 if orders <= 10 else 5)


def counted(purchases: list[Purchase]) -> dict[tuple[int, int], tuple[int, Decimal]]:
    """People and dollars of each cell, from the file."""
    bought: dict[int, list[Purchase]] = defaultdict(list)
    for purchase in purchases:
        bought[purchase.customer].append(purchase)
    people: Counter[tuple[int, int]] = Counter()
    dollars: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for own in bought.values():
        place = column((LAST - max(one.day for one in own)).days), row(len(own))
        people[place] += 1
        dollars[place] += sum(one.dollars for one in own)
    return {place: (people[place], dollars[place]) for place in people}


QUERY = """
with per_person as (
    select contact_id, count(*) as times, sum(total) as total,
           date '1998-07-01' - (max(ordered_at) at time zone 'UTC')::date as days
    from orders where org_id = %(org_id)s and status = 'DELIVERED' group by contact_id
)
select case when days <= 14 then 1 when days <= 30 then 2 when days <= 90 then 3 when days <= 180 then 4
            when days <= 365 then 5 else 6 end as recency,
       case when times = 1 then 1 when times = 2 then 2 when times <= 5 then 3 when times <= 10 then 4 else 5 end
           as frequency,
       count(*) as people, sum(total) as total
from per_person group by 1, 2
"""


async def load(shop: Shop, purchases: list[Purchase]) -> None:
    """A contact per customer and an order per purchase, straight into the tables; the facts come from our own code."""
    async with shop.db.transaction() as conn:
        async with conn.cursor().copy("copy contact (org_id, contact_id, external_id) from stdin") as copy:
            for customer in range(1, CUSTOMERS + 1):
                await copy.write_row((shop.org_id, customer, str(customer)))
        columns = "org_id, external_order_id, contact_id, status, total, currency, ordered_at"
        async with conn.cursor().copy(f"copy orders ({columns}) from stdin".encode()) as copy:
            for one in purchases:
                at = datetime.combine(one.day, time(12), UTC)
                await copy.write_row(
                    (shop.org_id, str(one.row), one.customer, "DELIVERED", one.dollars, "USD", at)
                )


@pytest.mark.timeout(120)
async def test_our_figures_are_those_of_the_file_and_of_a_query(shop: Shop) -> None:
    purchases = read_purchases()
    await day.keep(shop.db, datetime.combine(LAST, time(6), UTC))
    await load(shop, purchases)
    async with shop.db.transaction() as conn:
        await recount(conn, shop.org_id, range(1, CUSTOMERS + 1))
    async with shop.db.transaction() as conn:  # once more, over cells that are there
        await recount(conn, shop.org_id, range(1, CUSTOMERS + 1))
    async with shop.db.connection() as conn:
        ours = await read_cells(conn, shop.org_id, "sales", "", {})
    expected = counted(purchases)
    queried = {
        (found["recency"], found["frequency"]): (found["people"], found["total"])
        for found in await shop.rows(QUERY)
    }
    assert {tuple(place): value for place, value in ours.items()} == expected == queried
    assert sum(people for people, _ in ours.values()) == 23_570
    assert sum(total for _, total in ours.values()) == Decimal("2500315.63")
    assert sum(people for place, (people, _) in ours.items() if place.frequency > 1) == 11_662
    (facts,) = await shop.rows(
        "select count(*) filter (where delivered >= 2) as repeat, sum(delivered_total) as total, "
        "sum(delivered) as orders from contact_orders where org_id = %(org_id)s"
    )
    assert facts == {"repeat": 11_662, "total": Decimal("2500315.63"), "orders": 69_659}
    rule: Any = {"is": "orders", "measure": "count", "test": {"op": "at_least", "value": 2}}
    async with shop.db.connection() as conn:
        found = await preview(conn, shop.org_id, read(rule), datetime.now(UTC), rows=1)
    assert found.total == 11_662
