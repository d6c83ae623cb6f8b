"""Products that the shop's plugin reports (TRACKING 2.2, "ProductUpdate")."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.testing.api import Api

MUG = {
    "product_id": 17,
    "isInStock": "1",
    "unit_price": "9.50",
    "price_currency_code": "EUR",
    "name": "Mug",
    "description": "A mug",
    "imgurl": "https://cdn.example.net/mug.png",
    "url": "https://www.shop.example.com/mug",
    "brand": "Clay",
    "category": "Home > Kitchen > Mugs",
    "category_id": ["5"],
    "tag_discount": ["10"],
    "tag_oldprice": ["11"],
}


async def update(api: Api, *products: Any) -> Any:
    site = (await api.post("/api/v1/site/domains", {"domain": "shop.example.com"})).json()
    info = {"eventName": "ProductUpdate", "siteId": site["siteId"]}
    return await api.post("/tracker/api/v2", {"GeneralInfo": info, "ProductUpdate": list(products)}, key="")


async def test_products_are_stored_without_a_visitor(api: Api) -> None:
    answer = await update(api, MUG, {"product_id": "18", "isInStock": 0})
    assert (answer.status_code, answer.content) == (200, b"")
    rows = await api.rows(
        """select product_id, in_stock, price::text, currency, name, description, image_url, url, brand, categories, tags, source
           from product where org_id = %(org_id)s order by product_id"""
    )
    assert rows[0] == (
        "17", True, "9.5000", "EUR", "Mug", "A mug", "https://cdn.example.net/mug.png",
        "https://www.shop.example.com/mug", "Clay", ["Home > Kitchen > Mugs"],
        {"category_id": ["5"], "discount": ["10"], "oldprice": ["11"]}, "tracker",
    )  # fmt: skip
    assert rows[1][:2] == ("18", False)
    assert await api.rows("select 1 from event where org_id = %(org_id)s") == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"product_id": ""}, "ProductUpdate[1].product_id"),
        ({"isInStock": None}, "ProductUpdate[1].isInStock"),
        ({"unit_price": "cheap"}, "ProductUpdate[1].unit_price"),
        ({"price_currency_code": "EURO"}, "ProductUpdate[1].price_currency_code"),
        ({"url": "https://evil.example/mug"}, "ProductUpdate[1].url"),
        ({"url": "https://evilshop.example.com/"}, "ProductUpdate[1].url"),
        ({"url": "javascript:alert(1)"}, "ProductUpdate[1].url"),
        ({"imgurl": "mug.png"}, "ProductUpdate[1].imgurl"),
    ],
)
async def test_a_bad_product_is_named_and_nothing_is_stored(
    api: Api, change: dict[str, Any], field: str
) -> None:
    answer = await update(api, MUG, MUG | change)
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert await api.rows("select 1 from product where org_id = %(org_id)s") == []


@pytest.mark.parametrize("products", [(), tuple(MUG for _ in range(1001))])
async def test_none_and_too_many_are_refused(api: Api, products: tuple[Any, ...]) -> None:
    answer = await update(api, *products)
    assert answer.status_code in (400, 413)
