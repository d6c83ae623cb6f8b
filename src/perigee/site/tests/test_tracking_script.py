"""The tracking script in a browser (TRACKING 1)."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from perigee.settings import Settings
from perigee.testing.api import Api
from perigee.testing.browser import SECURE, Web

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.browser

SHOP = "https://shop.example.com/"


@pytest.fixture
def settings() -> Settings:
    return SECURE


class Shop:
    """A page with the loader, `before` and `after` it."""

    def __init__(self, web: Web, loader: str) -> None:
        self.web = web
        self.loader = loader

    async def open(
        self, url: str = SHOP, *, before: str = "", init: str = "eS('init')", after: str = ""
    ) -> Page:
        loader = self.loader.replace("eS('init')", init)
        html = f"<!doctype html><title>Shop</title><script>{before}</script>{loader}<script>{after}</script>"
        self.web.put(url.partition("?")[0], html)
        page = await self.web.context.new_page()
        await page.goto(url)
        await page.wait_for_function("window._esTracker")
        return page

    async def events(self, page: Page, count: int) -> list[tuple[str, dict[str, Any]]]:
        """What was recorded, once there are so many."""
        for _ in range(100):
            rows = await self.web.api.rows(
                """select t.key, e.params, e.contact_id, v.visitor_id from event e join event_type t using (org_id, event_type_id)
                   left join visitor_event v using (org_id, occurred_at, event_id)
                   where e.org_id = %(org_id)s order by e.event_id"""
            )
            if len(rows) >= count:
                break
            await page.wait_for_timeout(50)
        assert len(rows) == count, rows
        return [(row[0], row[1]) for row in rows]


@pytest.fixture
async def shop(web: Web) -> Shop:
    await web.api.post("/api/v1/site/domains", {"domain": "shop.example.com"})
    return Shop(web, (await web.api.get("/api/v1/site/script")).text)


async def state(page: Page) -> dict[str, Any]:
    return json.loads(await page.evaluate("localStorage.esState || '{}'"))  # type: ignore[no-any-return]  # JSON


async def test_a_page_view_is_sent_on_load_and_the_visitor_is_known_by_cookie_and_storage(shop: Shop) -> None:
    page = await shop.open(SHOP + "mugs?a=1")
    events = await shop.events(page, 1)
    assert events == [("pageViewed", {"page": {"location": SHOP + "mugs?a=1"}})]
    visitor = (await state(page))["customerId"]
    cookies = await shop.web.context.cookies(SHOP)
    assert [(cookie["name"], cookie["value"]) for cookie in cookies] == [("sc", visitor)]
    assert await page.evaluate("_esConfig.orgId") == shop.web.api.org_id
    ((stored,),) = await shop.web.api.rows("select visitor_id from visitor_event where org_id = %(org_id)s")
    assert stored == visitor


async def test_calls_made_before_the_file_are_played_in_order(shop: Shop) -> None:
    page = await shop.open(
        before="window.eS = function () { (eS.q = eS.q || []).push(arguments); };"
        "eS('sendEvent', 'SearchRequest', {SearchRequest: {search: 'mug', isFound: 1}});",
        after="eS('sendEvent', 'MainPage'); eS.q.push(['sendEvent', 'NotFound']);",
    )
    events = await shop.events(page, 4)
    assert sorted(key for key, _ in events) == [
        "mainPageViewed",
        "notFoundPageViewed",
        "pageViewed",
        "searchRequest",
    ]


async def test_the_flat_and_the_nested_form_record_the_same(shop: Shop) -> None:
    flat = "{ProductPage: {productKey: 'SKU-1', price: '9.50', isInStock: 1, tag_color: ['blue']}}"
    nested = (
        "{ProductPage: {Product: {productKey: 'SKU-1', price: '9.50', isInStock: 1, tag_color: ['blue']}}}"
    )
    page = await shop.open(
        after=f"eS('sendEvent', 'ProductPage', {flat}); eS('sendEventWithTags', 'ProductPage', {nested});"
    )
    events = [params for key, params in await shop.events(page, 3) if key == "productViewed"]
    assert (
        events == [{"product": {"productId": "SKU-1", "price": 9.5, "isInStock": 1, "color": ["blue"]}}] * 2
    )


async def test_a_single_page_site_sends_a_page_view_for_each_address(shop: Shop) -> None:
    page = await shop.open()
    await page.evaluate("history.pushState({}, '', '/a'); history.replaceState({}, '', '/a')")
    await shop.events(page, 2)
    await page.evaluate("history.back()")
    events = await shop.events(page, 3)
    assert sorted(params["page"]["location"] for _, params in events) == [SHOP, SHOP, SHOP + "a"]


async def test_customer_data_binds_the_visitor_and_goes_along_with_later_events(shop: Shop) -> None:
    made = await shop.web.api.post(
        "/api/v1/contact", {"channels": [{"type": "email", "value": "anna@example.com"}]}
    )
    page = await shop.open(
        after="eS('sendEvent', 'CustomerData', {CustomerData: {user_email: 'anna@example.com', user_name: 'A'}})"
    )
    await page.wait_for_function("JSON.parse(localStorage.esState).general.user_email")
    await page.evaluate("eS('sendEvent', 'MainPage')")
    await shop.events(page, 2)
    rows = await shop.web.api.rows("select distinct contact_id from event where org_id = %(org_id)s")
    assert rows == [(made.json()["id"],)]
    assert (await state(page))["general"] == {"user_email": "anna@example.com", "user_name": "A"}


@pytest.mark.parametrize(
    "query",
    [
        "etm_term={id}&utm_content=Yespo-9",
        "utm_content=Yespo-{id}",
        "utm_source=Yespo-email&utm_content={id}",
    ],
)
async def test_a_link_in_a_message_names_the_contact(shop: Shop, query: str) -> None:
    made = await shop.web.api.post(
        "/api/v1/contact", {"channels": [{"type": "email", "value": "anna@example.com"}]}
    )
    page = await shop.open(SHOP + "?" + query.format(id=made.json()["id"]))
    await shop.events(page, 1)
    rows = await shop.web.api.rows("select contact_id from event where org_id = %(org_id)s")
    assert rows == [(made.json()["id"],)]


async def test_options_come_from_the_second_and_the_third_argument(shop: Shop) -> None:
    page = await shop.open(init="eS('init', {APP_INBOX: true, TRACKING: false}, {language: 'en'})")
    options = await page.evaluate("_esConfig.options")
    assert options == {"TRACKING": False, "RECOMS": True, "APP_INBOX": True, "language": "en"}
    assert await shop.events(page, 1)  # PageView on load stays automatic


async def test_the_cookie_of_a_known_visitor_is_taken_over(shop: Shop) -> None:
    await shop.web.context.add_cookies([{"name": "sc", "value": "CDA6-known", "url": SHOP}])
    page = await shop.open()
    assert (await state(page))["customerId"] == "CDA6-known"


async def test_without_consent_nothing_is_sent_or_stored_until_it_is_given(shop: Shop) -> None:
    page = await shop.open(init="eS('init', {CONSENT: false})", after="eS('sendEvent', 'MainPage')")
    await page.wait_for_timeout(200)
    assert await shop.web.context.cookies(SHOP) == []
    assert await state(page) == {}
    assert "POST /tracker/api/v2" not in shop.web.asked
    await page.evaluate("eS('consent', true)")
    assert [key for key, _ in await shop.events(page, 1)] == ["pageViewed"]
    await page.evaluate("eS('consent', false); eS('sendEvent', 'MainPage')")
    await page.wait_for_timeout(200)
    assert await shop.web.context.cookies(SHOP) == []
    assert shop.web.asked.count("POST /tracker/api/v2") == 1


async def test_who_asks_not_to_be_tracked_is_not_where_the_site_respects_that(shop: Shop) -> None:
    wish = "Object.defineProperty(navigator, 'globalPrivacyControl', {value: true});"
    page = await shop.open(before=wish, init="eS('init', {DNT: true})", after="eS('sendEvent', 'MainPage')")
    await page.wait_for_timeout(200)
    assert await shop.web.context.cookies(SHOP) == []
    assert "POST /tracker/api/v2" not in shop.web.asked
    await page.evaluate("eS('consent', true)")
    assert [key for key, _ in await shop.events(page, 1)] == ["pageViewed"]


async def test_who_signs_in_after_somebody_else_inherits_nothing(shop: Shop) -> None:
    page = await shop.open()
    for who in (
        "{externalCustomerId: 1, user_email: 'anna@example.com', user_name: 'Anna'}",
        "{externalCustomerId: 1, user_phone: '380501112233'}",
    ):
        await page.evaluate(f"eS('sendEvent', 'CustomerData', {{CustomerData: {who}}})")
    known = {"externalCustomerId": "1", "user_email": "anna@example.com", "user_name": "Anna"}
    assert (await state(page))["general"] == {**known, "user_phone": "380501112233"}
    await page.evaluate("eS('sendEvent', 'CustomerData', {CustomerData: {externalCustomerId: 2}})")
    assert (await state(page))["general"] == {"externalCustomerId": "2"}


async def test_a_site_that_reports_itself_has_only_the_page_view_on_load(shop: Shop) -> None:
    page = await shop.open(init="eS('init', {TRACKING: false})")
    await page.evaluate("history.pushState({}, '', '/a')")
    await page.wait_for_timeout(100)
    await page.evaluate("eS('sendEvent', 'MainPage')")
    assert sorted(key for key, _ in await shop.events(page, 2)) == ["mainPageViewed", "pageViewed"]


async def test_a_browser_without_keepalive_sends_a_beacon(shop: Shop) -> None:
    old = "delete Request.prototype.keepalive; window.fetch = function () { throw new Error('no'); };"
    page = await shop.open(before=old)
    assert [key for key, _ in await shop.events(page, 1)] == ["pageViewed"]


async def test_a_page_that_is_rendered_before_it_is_wanted_waits(shop: Shop) -> None:
    hidden = "Object.defineProperty(document, 'prerendering', {value: true, configurable: true});"
    page = await shop.open(before=hidden, after="eS('sendEvent', 'MainPage')")
    await page.wait_for_timeout(100)
    assert "POST /tracker/api/v2" not in shop.web.asked
    await page.evaluate(
        "delete document.prerendering; document.dispatchEvent(new Event('prerenderingchange'))"
    )
    assert sorted(key for key, _ in await shop.events(page, 2)) == ["mainPageViewed", "pageViewed"]


async def test_a_new_cart_every_time_and_the_order_with_its_state(shop: Shop) -> None:
    page = await shop.open(
        after="eS('sendEvent', 'StatusCart', {StatusCart: [{productKey: 'A', price: 5, quantity: 1, currency: 'EUR'}], GUID: 'g1'});"
        "eS('sendEvent', 'PurchasedItems', {OrderNumber: 'SO-1', PurchasedItems: [{productKey: 'A', price: 5, quantity: 1}], GUID: 'g1'});"
    )
    found = dict(await shop.events(page, 3))
    assert found["cartUpdated"] == {
        "products": [{"productId": "A", "price": 5, "quantity": 1}],
        "currencyCode": "EUR",
        "recycleStateId": "g1",
    }
    assert found["purchase"]["externalOrderId"] == "SO-1"
    assert found["purchase"]["recycleStateId"] == "g1"


async def test_the_file_is_small_and_asked_for_once(shop: Shop, api: Api) -> None:
    page = await shop.open()
    await shop.events(page, 1)
    (path,) = [asked.removeprefix("GET ") for asked in shop.web.asked if asked.startswith("GET /scripts/")]
    answer = await api.get(path, key="")
    assert len(answer.content) < 14_000
    assert len(gzip.compress(answer.content)) < 5_000
    again = await api.get(path, key="", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
