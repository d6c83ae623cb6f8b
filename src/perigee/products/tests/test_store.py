"""What several sources say about one product."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from perigee.db.pool import Connection, Database
from perigee.products.store import prune_changes, read_products, upsert_products
from perigee.products.types import Product, ProductRow, Source
from perigee.testing.api import make_organisation

NOON = datetime(2025, 5, 4, 12, tzinfo=UTC)


class Shop:
    def __init__(self, conn: Connection, org_id: int) -> None:
        self.conn = conn
        self.org_id = org_id

    async def say(self, source: Source, *, days: int = 0, **members: Any) -> Product:
        row = ProductRow(product_id="SKU-1", as_of=NOON + timedelta(days=days), **members)
        await upsert_products(self.conn, self.org_id, [row], source=source)
        return (await read_products(self.conn, self.org_id, ["SKU-1"]))["SKU-1"]


@pytest.fixture
async def shop(db: Database) -> Any:
    org_id, _ = await make_organisation(db)
    async with db.transaction() as conn:
        yield Shop(conn, org_id)


async def test_what_is_said_is_stored(shop: Shop) -> None:
    stored = await shop.say(
        "feed",
        name="Mug",
        url="https://shop.example.com/mug",
        image_url="https://shop.example.com/mug.png",
        description="Blue mug",
        brand="Example",
        price=Decimal("9.50"),
        currency="EUR",
        in_stock=True,
        categories=("Home > Mugs",),
        tags={"color": ["blue"]},
    )
    assert stored == Product(
        product_id="SKU-1",
        name="Mug",
        url="https://shop.example.com/mug",
        image_url="https://shop.example.com/mug.png",
        description="Blue mug",
        brand="Example",
        price=Decimal("9.50"),
        currency="EUR",
        in_stock=True,
        categories=["Home > Mugs"],
        tags={"color": ["blue"]},
    )


async def test_later_data_replace_earlier_ones_and_silence_changes_nothing(shop: Shop) -> None:
    await shop.say("feed", name="Mug", price=Decimal(9), currency="EUR", tags={"color": ["blue"]})
    later = await shop.say("tracker", days=1, price=Decimal(8), currency="UAH", tags={"size": ["L"]})
    assert (later.name, later.price, later.currency) == ("Mug", Decimal(8), "UAH")
    assert later.tags == {"color": ["blue"], "size": ["L"]}


async def test_earlier_data_only_fill_gaps(shop: Shop) -> None:
    await shop.say("feed", name="Mug", price=Decimal(9))
    late = await shop.say("feed", days=-3, name="Old mug", price=Decimal(7), brand="Example")
    assert (late.name, late.price, late.brand) == ("Mug", Decimal(9), "Example")


async def test_an_order_never_replaces_what_a_feed_said(shop: Shop) -> None:
    await shop.say("order", name="Mug, discounted", price=Decimal(5))
    await shop.say("feed", days=1, name="Mug", price=Decimal(9))
    stored = await shop.say("order", days=5, name="Mug, discounted", price=Decimal(5), categories=("Mugs",))
    assert (stored.name, stored.price, stored.categories) == ("Mug", Decimal(9), ["Mugs"])


async def test_orders_follow_each_other(shop: Shop) -> None:
    await shop.say("order", price=Decimal(5))
    assert (await shop.say("order", days=2, price=Decimal(6))).price == 6


async def test_of_repeats_in_one_call_the_last_counts(shop: Shop) -> None:
    rows = [ProductRow(product_id="A", name=name) for name in ("first", "last")]
    await upsert_products(shop.conn, shop.org_id, rows, source="tracker")
    assert (await read_products(shop.conn, shop.org_id, ["A"]))["A"].name == "last"


async def test_nothing_said_is_nothing_done(shop: Shop) -> None:
    await upsert_products(shop.conn, shop.org_id, [], source="tracker")
    assert await read_products(shop.conn, shop.org_id, ["A"]) == {}


async def test_organisations_have_their_own_products(shop: Shop, db: Database) -> None:
    await shop.say("feed", name="Mug")
    cursor = await shop.conn.execute("insert into organisation (name) values ('Other') returning org_id")
    row = await cursor.fetchone()
    assert row is not None
    assert await read_products(shop.conn, row[0], ["SKU-1"]) == {}


async def changes(shop: Shop) -> list[tuple[Any, ...]]:
    cursor = await shop.conn.execute(
        "select changed_at, old_price, price, old_in_stock, in_stock from product_change "
        "where org_id = %s order by changed_at",
        [shop.org_id],
    )
    return await cursor.fetchall()


async def test_another_price_and_another_stock_are_written_down(shop: Shop) -> None:
    await shop.say("feed", price=Decimal(10), currency="EUR", in_stock=True)
    await shop.say("feed", days=1, price=Decimal(10), currency="EUR", in_stock=True)
    await shop.say("tracker", days=2, price=Decimal(8), currency="EUR", in_stock=False)
    await shop.say("tracker", days=3, in_stock=True)
    assert await changes(shop) == [
        (NOON + timedelta(days=2), 10, 8, True, False),
        (NOON + timedelta(days=3), 8, 8, False, True),
    ]


async def test_what_orders_say_and_another_currency_are_no_change_of_price(shop: Shop) -> None:
    await shop.say("order", price=Decimal(9), currency="EUR")
    await shop.say("order", days=1, price=Decimal(8), currency="EUR")
    await shop.say("feed", days=2, price=Decimal(10), currency="EUR", in_stock=True)
    await shop.say("order", days=3, price=Decimal(7), currency="EUR")
    await shop.say("feed", days=4, price=Decimal(400), currency="UAH")
    assert await changes(shop) == []


async def test_what_an_old_feed_says_is_no_change(shop: Shop) -> None:
    await shop.say("feed", days=1, price=Decimal(10), currency="EUR", in_stock=True)
    await shop.say("feed", price=Decimal(8), currency="EUR", in_stock=False)
    assert await changes(shop) == []


async def test_changes_are_forgotten(shop: Shop) -> None:
    await shop.say("feed", price=Decimal(10), in_stock=True)
    await shop.say("feed", days=1, in_stock=False)
    await prune_changes(shop.conn)
    assert await changes(shop) == []
