"""What is in a contact's cart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from perigee.site.cart import CartLine, read_lines, total
from perigee.testing.api import Api

TRACKER = "/tracker/api/v2"


class Shop:
    def __init__(self, api: Api, site_id: str, anna: int) -> None:
        self.api = api
        self.site_id = site_id
        self.anna = anna

    async def track(self, name: str, data: dict[str, Any], **beside: Any) -> None:
        info = {
            "eventName": name,
            "siteId": self.site_id,
            "cookies": {"sc": "v"},
            "user_email": "anna@example.com",
        }
        answer = await self.api.post(TRACKER, {"GeneralInfo": info, name: data, **beside}, key="")
        assert answer.status_code == 200, answer.text

    async def put(self, state: str, *lines: dict[str, Any]) -> None:
        await self.track("StatusCart", {"GUID": state, "Products": list(lines)})

    async def cart(self) -> dict[str, Any]:
        answer = await self.api.get(f"/api/v4/contacts/{self.anna}/cart")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
async def shop(api: Api) -> Shop:
    site = (await api.post("/api/v1/site/domains", {"domain": "shop.example.com"})).json()
    person = {"channels": [{"type": "email", "value": "anna@example.com"}]}
    return Shop(api, site["siteId"], (await api.post("/api/v1/contact", person)).json()["id"])


MUG = {"productKey": "SKU-1", "price": "9.50 EUR", "quantity": 2, "tag_color": ["blue"]}
CUP = {"productKey": "SKU-2", "price": 4, "quantity": 1}


async def test_the_last_whole_cart_counts(shop: Shop) -> None:
    assert await shop.cart() == {"status": "none"}
    await shop.put("g1", CUP)
    await shop.put("g2", MUG, CUP)
    found = await shop.cart()
    assert found.pop("updated_at")
    assert found == {
        "status": "open",
        "products": [
            {"product_id": "SKU-1", "price": 9.5, "quantity": 2, "details": {"color": ["blue"]}},
            {"product_id": "SKU-2", "price": 4, "quantity": 1},
        ],
        "total": 23,
        "currency": "EUR",
        "state_id": "g2",
    }


async def test_an_empty_list_empties_it(shop: Shop) -> None:
    await shop.put("g1", MUG)
    await shop.put("g2")
    found = await shop.cart()
    assert (found["status"], "products" in found, found["state_id"]) == ("emptied", False, "g2")


async def test_a_purchase_ends_it_and_a_new_cart_begins(shop: Shop) -> None:
    await shop.put("g1", MUG)
    bought = {"OrderNumber": "SO-1", "Products": [{"product_id": "SKU-1", "unit_price": 9.5, "quantity": 2}]}
    await shop.track("PurchasedItems", {**bought, "GUID": "g1"})
    found = await shop.cart()
    assert (found["status"], found["external_order_id"]) == ("bought", "SO-1")
    await shop.put("g2", CUP)
    found = await shop.cart()
    assert (found["status"], "external_order_id" in found) == ("open", False)


@pytest.mark.parametrize(("status", "then"), [("INITIALIZED", "bought"), ("ABANDONED_SHOPPING_CART", "open")])
async def test_an_order_ends_it_unless_it_is_the_abandoned_cart_itself(
    shop: Shop, status: str, then: str
) -> None:
    await shop.put("g1", MUG)
    ((now,),) = await shop.api.rows(
        "select to_char(now() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
    )
    order = {"externalOrderId": "SO-7", "totalCost": 19, "date": now, "email": "anna@example.com"}
    answer = await shop.api.post("/api/v1/orders", {"orders": [{**order, "status": status}]})
    assert answer.status_code == 200, answer.text
    assert (await shop.cart())["status"] == then


async def test_a_purchase_that_names_its_state_ends_it_though_the_browsers_clock_is_ahead(shop: Shop) -> None:
    ahead = int((datetime.now(UTC) + timedelta(minutes=4)).timestamp() * 1000)
    info = {
        "eventName": "StatusCart",
        "siteId": shop.site_id,
        "datetime": ahead,
        "user_email": "anna@example.com",
    }
    await shop.api.post(
        TRACKER, {"GeneralInfo": info, "StatusCart": {"GUID": "g1", "Products": [MUG]}}, key=""
    )
    bought = {"OrderNumber": "SO-1", "Products": [{"product_id": "SKU-1", "unit_price": 9.5, "quantity": 2}]}
    await shop.track("PurchasedItems", {**bought, "GUID": "another"})
    assert (await shop.cart())["status"] == "open"
    await shop.track("PurchasedItems", {**bought, "OrderNumber": "SO-2", "GUID": "g1"})
    assert (await shop.cart())["external_order_id"] == "SO-2"


async def test_a_cart_that_a_server_reports_as_text_is_read(shop: Shop) -> None:
    products = '[{"productId": "SKU-1", "price": "9,50", "quantity": "2", "name": "Mug"}]'
    params = {
        "email": "anna@example.com",
        "recycleStateId": "g9",
        "products": products,
        "currencyCode": "EUR",
    }
    answer = await shop.api.post("/api/v3/event", {"eventTypeKey": "cartUpdated", "params": params})
    assert answer.status_code == 200, answer.text
    found = await shop.cart()
    assert found["products"][0]["product_id"] == "SKU-1"
    assert (found["status"], found["state_id"]) == ("open", "g9")


@pytest.mark.parametrize(
    "given",
    [None, "not json", '"text"', 7, {}, ["x", {"price": 1}, {"productId": ["a"]}, {"productId": None}]],
)
def test_what_is_no_product_is_left_out(given: Any) -> None:
    assert read_lines(given) == []


def test_lines_without_price_or_quantity() -> None:
    assert total([]) is None
    assert total([CartLine("a"), CartLine("b", 5)]) == 5
    assert read_lines([{"productId": 7, "price": "much", "quantity": {}}]) == [CartLine("7")]


async def test_nobodys_cart_is_not_found(api: Api) -> None:
    assert (await api.get("/api/v4/contacts/999999/cart")).status_code == 404
