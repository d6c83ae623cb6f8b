"""What `eS('getRecommendations', …)` asks (TRACKING 1.4)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from perigee.testing.api import Api

VISITOR = "CDA68358-0000-4000-8000-3FEB3C4114A3"


class Shop:
    def __init__(self, api: Api, site_id: str, variant: str) -> None:
        self.api = api
        self.site_id = site_id
        self.variant = variant

    async def ask(self, **more: Any) -> httpx.Response:
        body = {"siteId": self.site_id, "variantId": self.variant, "visitor": VISITOR, **more}
        return await self.api.post("/tracker/recommendations", body, key="")

    async def ids(self, **more: Any) -> list[str]:
        return [product["product_id"] for product in (await self.ask(**more)).json()["products"]]

    async def track(self, name: str, data: Any, **general: Any) -> None:
        info = {"eventName": name, "siteId": self.site_id, "cookies": {"sc": VISITOR}, **general}
        answer = await self.api.post("/tracker/api/v2", {"GeneralInfo": info, name: data}, key="")
        assert answer.status_code == 200


@pytest.fixture
async def shop(api: Api) -> Shop:
    """Three mugs, of which this visitor has looked at A, then B, then C."""
    site = (await api.post("/api/v1/site/domains", {"domain": "shop.example.com"})).json()
    source = await api.post("/api/v4/recommendation-sources", {"name": "Seen", "kind": "recently_viewed"})
    assert source.status_code == 201, source.text
    shop = Shop(api, site["siteId"], f"r{source.json()['source_id']}v1")
    goods = [
        {"product_id": name, "isInStock": 1, "name": f"Mug {name}", "url": f"https://shop.example.com/{name}",
         "unit_price": price, "price_currency_code": "EUR", "tag_color": [color], "brand": "Clay"}
        for name, price, color in (("A", 5, "blue"), ("B", 7, "red"), ("C", 9, "Blue"))
    ]  # fmt: skip
    await shop.track("ProductUpdate", goods)
    for name in "ABC":
        await shop.track("ProductPage", {"productKey": name})
    return shop


async def test_products_of_a_variant_for_a_visitor_who_is_nobody_yet(shop: Shop) -> None:
    answer = await shop.ask()
    assert answer.status_code == 200
    assert answer.json()["products"][0] == {
        "product_id": "C",
        "container_type": shop.variant,
        "url": "https://shop.example.com/C",
    }
    assert await shop.ids() == ["C", "B", "A"]


async def test_all_fields_bring_the_members_of_the_feed(shop: Shop) -> None:
    answer = await shop.ask(allFields=True)
    assert answer.json()["products"][0] == {
        "product_id": "C",
        "container_type": shop.variant,
        "url": "https://shop.example.com/C",
        "name": "Mug C",
        "brand": "Clay",
        "unit_price": 9,
        "price_currency_code": "EUR",
        "isInStock": 1,
        "tag_color": ["Blue"],
    }


async def test_filters_and_the_product_of_the_page(shop: Shop) -> None:
    blue = [{"name": "color", "values": ["blue"]}]
    assert await shop.ids(filters={"include": blue}) == ["C", "A"]
    assert await shop.ids(filters={"exclude": blue}) == ["B"]
    assert await shop.ids(filters={"should": [{"name": "tag_color", "values": ["red"]}]}) == ["B", "C", "A"]
    assert await shop.ids(productId="C") == ["B", "A"]


async def test_a_visitor_keeps_what_it_saw_when_it_becomes_known(shop: Shop) -> None:
    await shop.api.post("/api/v1/contact", {"channels": [{"type": "email", "value": "anna@example.com"}]})
    await shop.track("CustomerData", {}, user_email="anna@example.com")
    assert await shop.ids() == ["C", "B", "A"]


async def test_nobody_reads_what_a_contact_saw_by_naming_it(shop: Shop) -> None:
    await shop.api.post("/api/v1/contact", {"channels": [{"type": "email", "value": "anna@example.com"}]})
    await shop.track("CustomerData", {}, user_email="anna@example.com")
    assert await shop.ids(visitor="another", user_email="anna@example.com", contactId=1) == []


@pytest.mark.parametrize("variant", ["r1v1", "r999999v2", "x"])
async def test_an_unknown_variant_is_told_in_the_words_that_scripts_show(shop: Shop, variant: str) -> None:
    answer = await shop.ask(variantId=variant)
    assert answer.status_code == 404
    assert answer.json()["message"] == f"variantId {variant} was not found in config"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"siteId": "x"}, "siteId"),
        ({"variantId": None}, "variantId"),
        ({"filters": {"include": ["x"]}}, "filters.include"),
        ({"productIds": [str(n) for n in range(101)]}, "productIds"),
    ],
)
async def test_a_bad_question_is_refused(shop: Shop, change: dict[str, Any], field: str) -> None:
    answer = await shop.ask(**change)
    assert (answer.status_code, answer.json()["field"]) == (400, field)
