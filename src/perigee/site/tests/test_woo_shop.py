"""A visitor of a WooCommerce-like shop, from the first look to the order, in a real browser over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest

from perigee.settings import Settings
from perigee.site.tests.woo_shop import WooShop
from perigee.testing.api import Api
from perigee.testing.live import live

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page

pytestmark = pytest.mark.browser


@pytest.fixture
async def shop(api: Api, settings: Settings, database_url: str) -> AsyncIterator[WooShop]:
    with live(settings, database_url, public=True) as perigee:
        site = (await api.post("/api/v1/site/domains", {"domain": "shop.example.com"})).json()
        script = (await api.get("/api/v1/site/script")).text.replace(settings.public_url, perigee)
        async with WooShop(perigee, api.key, site["siteId"], script).open() as shop:
            yield shop


async def until(page: Page, api: Api, query: str, wanted: list[Any]) -> None:
    """Once the rows are these. What a page sends arrives when it arrives."""
    for _ in range(200):
        found = await api.rows(query)
        if found == wanted:
            return
        await page.wait_for_timeout(50)
    raise AssertionError(found)


COUNTS = """select event_type.key, count(*)::int, count(contact_id)::int
            from event join event_type using (org_id, event_type_id)
            where event.org_id = %(org_id)s and source = 'tracker' group by 1 order by 1"""


async def cart_of(api: Api, contact_id: int) -> dict[str, Any]:
    found: dict[str, Any] = (await api.get(f"/api/v4/contacts/{contact_id}/cart")).json()
    return found


async def test_who_looks_fills_a_cart_and_buys_has_it_all_on_the_card(
    profile: BrowserContext, shop: WooShop, api: Api
) -> None:
    page = await profile.new_page()
    await page.goto(f"{shop.address}/product/MUG")
    await page.wait_for_selector("html[data-visitor=told]")
    await page.click("#add")
    await until(page, api, COUNTS, [("cartUpdated", 1, 0), ("pageViewed", 1, 0), ("productViewed", 1, 0)])
    await page.click("#add")
    await until(page, api, COUNTS, [("cartUpdated", 2, 0), ("pageViewed", 1, 0), ("productViewed", 1, 0)])
    await page.goto(f"{shop.address}/product/CUP")
    await page.wait_for_selector("html[data-visitor=told]")
    await page.click("#add")
    await until(page, api, COUNTS, [("cartUpdated", 3, 0), ("pageViewed", 2, 0), ("productViewed", 2, 0)])
    assert await api.rows("select count(*) from contact where org_id = %(org_id)s") == [(0,)]

    await page.goto(f"{shop.address}/checkout")
    await page.fill("#email", "anna@example.com")
    await page.click("#next")
    await page.wait_for_selector("body[data-account=made]")
    await until(page, api, COUNTS, [("cartUpdated", 3, 3), ("pageViewed", 3, 3), ("productViewed", 2, 2)])
    (anna,) = (await api.get("/api/v4/contacts?email=anna@example.com")).json()["items"]
    contact_id = anna["contact_id"]
    cart = await cart_of(api, contact_id)
    lines = [(one["product_id"], one["quantity"], one["price"]) for one in cart["products"]]
    assert lines == [("MUG", 2, 9.5), ("CUP", 1, 4)]
    assert (cart["status"], cart["total"], cart["currency"]) == ("open", 23, "EUR")

    await page.click("#buy")
    await page.wait_for_selector("h1:text('Thank you')")
    await until(
        page,
        api,
        COUNTS,
        [("cartUpdated", 3, 3), ("pageViewed", 4, 4), ("productViewed", 2, 2), ("purchase", 1, 1)],
    )
    after = await cart_of(api, contact_id)
    assert (after["status"], after["external_order_id"]) == ("bought", "WC-1")
    assert after["state_id"] == cart["state_id"]
    (order,) = (await api.get(f"/api/v4/orders?contact_id={contact_id}")).json()["items"]
    assert (order["external_order_id"], order["status"], float(order["total"])) == ("WC-1", "INITIALIZED", 23)
    history = (await api.get(f"/api/v4/contacts/{contact_id}/events")).json()["items"]
    bought = next(one for one in history if one["type_key"] == "purchase")
    assert bought["params"]["recycleStateId"] == cart["state_id"]
    assert {one["type_key"] for one in history} >= {"pageViewed", "productViewed", "cartUpdated", "purchase"}


async def test_a_cart_whose_last_product_is_taken_out_is_empty(
    profile: BrowserContext, shop: WooShop, api: Api
) -> None:
    person = {"externalCustomerId": "1001", "channels": [{"type": "email", "value": "anna@example.com"}]}
    anna = (await api.post("/api/v1/contact", person)).json()["id"]
    page = await profile.new_page()
    await page.goto(f"{shop.address}/product/MUG")
    await page.wait_for_selector("html[data-visitor=told]")
    await page.click("#add")
    await until(page, api, COUNTS, [("cartUpdated", 1, 0), ("pageViewed", 1, 0), ("productViewed", 1, 0)])
    await page.evaluate("eS('sendEvent', 'CustomerData', {CustomerData: {user_email: 'anna@example.com'}})")
    await until(page, api, COUNTS, [("cartUpdated", 1, 1), ("pageViewed", 1, 1), ("productViewed", 1, 1)])
    assert (await cart_of(api, anna))["status"] == "open"
    await page.click("#remove")
    await until(page, api, COUNTS, [("cartUpdated", 2, 2), ("pageViewed", 1, 1), ("productViewed", 1, 1)])
    assert (await cart_of(api, anna))["status"] == "emptied"
