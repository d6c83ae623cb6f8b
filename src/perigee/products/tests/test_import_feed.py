"""The default feed becomes products: when it is set, on demand, daily."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.products.jobs import enqueue_due
from perigee.testing.api import Api
from perigee.testing.files import Files

CONFIG = "/api/v1/products/config"


def feed(**prices: str) -> str:
    items = "".join(
        f"<item><g:id>{name}</g:id><g:price>{price} EUR</g:price><g:availability>in stock</g:availability></item>"
        for name, price in prices.items()
    )
    return f'<rss xmlns:g="http://base.google.com/ns/1.0"><channel>{items}</channel></rss>'


async def set_feed(api: Api, link: str) -> None:
    answer = await api.post(CONFIG, {"feeds": [{"url": link, "language": "en", "default": True}]})
    assert answer.status_code == 200, answer.text
    await api.run_jobs()


async def products(api: Api) -> list[Any]:
    return await api.rows(
        "select product_id, price, in_stock, source from product where org_id = %(org_id)s order by 1"
    )


async def state(api: Api) -> dict[str, Any]:
    (found,) = (await api.get("/api/v4/product-feeds")).json()["items"]
    return dict(found)


async def test_setting_a_feed_imports_it(api: Api, files: Files) -> None:
    await set_feed(api, files.link(feed(A="9.50", B="5")))
    assert await products(api) == [("A", 9.5, True, "feed"), ("B", 5, True, "feed")]
    told = await state(api)
    assert (told["products"], told["error"], told["imported_at"] is not None) == (2, None, True)


async def test_only_the_default_feed_is_imported(api: Api, files: Files) -> None:
    links = [files.link(feed(A="1"), "/a"), files.link(feed(B="1"), "/b")]
    feeds = [{"url": links[0]}, {"url": links[1], "default": True}]
    await api.post(CONFIG, {"feeds": feeds})
    await api.run_jobs()
    assert [row[0] for row in await products(api)] == ["B"]


async def test_what_a_feed_does_not_name_any_more_is_sold_out(api: Api, files: Files) -> None:
    await set_feed(api, files.link(feed(A="1", B="1")))
    order = {
        "externalOrderId": "SO-1",
        "email": "anna@example.com",
        "totalCost": 1,
        "status": "DELIVERED",
        "date": "2025-05-04T10:00:00Z",
        "items": [{"externalItemId": "C", "quantity": 1}],
    }
    await api.post("/api/v1/orders", {"orders": [order]})
    files.link(feed(B="2"))
    assert (await api.post("/api/v4/product-feeds/import")).status_code == 204
    await api.run_jobs()
    assert await products(api) == [
        ("A", 1, False, "feed"),
        ("B", 2, True, "feed"),
        ("C", None, None, "order"),
    ]


async def test_another_feed_tells_what_changed(api: Api, files: Files) -> None:
    await set_feed(api, files.link(feed(A="1", B="2", C="3")))
    files.link(feed(B="1.50", C="3"))
    await api.post("/api/v4/product-feeds/import")
    await api.run_jobs()
    changes = "select product_id, old_price, price, old_in_stock, in_stock from product_change where org_id = %(org_id)s"
    assert sorted(await api.rows(changes)) == [("A", 1, 1, True, False), ("B", 2, 1.5, True, True)]


@pytest.mark.parametrize("body", ["", "<rss>", "not xml", feed()])
async def test_a_bad_feed_changes_nothing_and_says_why(api: Api, files: Files, body: str) -> None:
    await set_feed(api, files.link(feed(A="1")))
    files.link(body)
    await api.post("/api/v4/product-feeds/import")
    await api.run_jobs()
    assert await products(api) == [("A", 1, True, "feed")]
    told = await state(api)
    assert told["products"] == 1
    assert "the feed" in told["error"]


async def test_half_a_feed_changes_nothing(api: Api, files: Files) -> None:
    await set_feed(api, files.link(feed(A="1")))
    items = "".join(f"<item><id>N{number}</id><note>{'x' * 1000}</note></item>" for number in range(600))
    files.link(f"<rss>{items}")
    await api.post("/api/v4/product-feeds/import")
    await api.run_jobs()
    assert await products(api) == [("A", 1, True, "feed")]


async def test_a_link_that_is_refused_is_told(api: Api, files: Files) -> None:
    link = files.link(feed(A="1"))
    files.status = 404
    await set_feed(api, link)
    assert await products(api) == []
    assert "404" in (await state(api))["error"]


async def test_a_good_import_clears_the_error(api: Api, files: Files) -> None:
    await set_feed(api, files.link("not xml"))
    files.link(feed(A="1"))
    await api.post("/api/v4/product-feeds/import")
    await api.run_jobs()
    assert (await state(api))["error"] is None


async def test_feeds_come_again_when_they_are_due(api: Api, files: Files) -> None:
    await set_feed(api, files.link(feed(A="1")))
    files.link(feed(A="2"))

    async def round_of_upkeep() -> None:
        async with api.db.transaction() as conn:
            await enqueue_due(conn, 24)
        await api.run_jobs()

    await round_of_upkeep()
    assert await products(api) == [("A", 1, True, "feed")]
    await api.rows("update product_feed set next_at = now() where org_id = %(org_id)s")
    await round_of_upkeep()
    assert await products(api) == [("A", 2, True, "feed")]
    asked = len(files.asked)
    await round_of_upkeep()
    assert len(files.asked) == asked


async def test_without_a_feed_there_is_nothing_to_import(api: Api) -> None:
    assert (await api.post("/api/v4/product-feeds/import")).status_code == 404
    await api.post(CONFIG, {"feeds": []})
    await api.run_jobs()
    assert await products(api) == []
