"""TRACKING sections 1 to 3 over HTTP: the loader, the tracker endpoint, events of the backend."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest

from perigee.testing.api import Api
from perigee.testing.wire import empty, ok

VISITOR = "CDA68358-0000-4000-8000-3FEB3C4114A3"
TRACKER = "/tracker/api/v2"
EVENTS = """select t.key, e.contact_id, e.params from event e join event_type t using (org_id, event_type_id)
            where e.org_id = %(org_id)s order by e.event_id"""
WHO = {
    "externalCustomerId": "CRM-1001",
    "user_phone": "380501112233",
    "user_email": "anna@example.com",
    "user_name": "Anna Koval",
}
PRODUCT = {"productKey": "SKU-1", "price": "9.50 EUR", "isInStock": "1", "tag_color": ["blue"]}
CART = {
    "GUID": "6F9619FF-0000-4000-8000-00CF4FC964FF",
    "Products": [{"productKey": "SKU-1", "price": 9.5, "quantity": 2, "price_currency_code": "EUR"}],
}
ORDER = {
    "Products": [{"product_id": "SKU-1", "unit_price": "9.50", "quantity": 2}],
    "OrderNumber": "SO-1001",
}


class Site:
    def __init__(self, api: Api, site_id: str, anna: int) -> None:
        self.api, self.site_id, self.anna = api, site_id, anna

    async def send(self, body: Any, path: str = TRACKER, **more: Any) -> httpx.Response:
        return await self.api.post(path, body, key="", **more)

    async def track(self, name: str, general: Any = None, **members: Any) -> None:
        info = {
            "eventName": name,
            "siteId": self.site_id,
            "datetime": int(time.time() * 1000),
            "cookies": {"sc": VISITOR},
        }
        answer = await self.send({"GeneralInfo": info | (general or {}), **members})
        assert (answer.status_code, answer.content) == (200, b"")

    async def events(self) -> list[tuple[str, int | None, Any]]:
        return await self.api.rows(EVENTS)

    async def keys(self) -> list[str]:
        return [key for key, _, _ in await self.events()]


@pytest.fixture
async def site(api: Api) -> Site:
    made = ok(await api.post("/api/v1/site/domains", {"domain": "shop.example.com"}), 201).json()
    channels = [
        {"type": "email", "value": "anna@example.com"},
        {"type": "sms", "value": "380501112233"},
    ]
    contact = {"channels": channels, "externalCustomerId": "CRM-1001", "firstName": "Anna"}
    return Site(api, made["siteId"], ok(await api.post("/api/v1/contact", contact)).json()["id"])


async def test_the_loader_queues_calls_and_loads_the_file_of_the_site(site: Site) -> None:
    script = (await site.api.get("/api/v1/site/script")).text
    assert f"/scripts/{site.site_id}.js" in script
    for word in ("'eS'", "'es'", ".q", "async = true", "eS('init')"):
        assert word in script
    file = await site.api.get(f"/scripts/{site.site_id}.js", key="")
    assert (file.status_code, file.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert f'"orgId":{site.api.org_id}' in file.text.replace(" ", "")
    for word in ("_esConfig", "esState", "etm_term", "utm_content", "utm_source", "Yespo-"):
        assert word in file.text


async def test_the_frame_of_the_example_is_one_event_of_the_contact(site: Site) -> None:
    info = {**WHO, "user_es_contact_id": "23456789"}
    await site.track("ProductPage", info, ProductPage={"Product": PRODUCT, "Tags": {"section": ["mugs"]}})
    ((key, contact_id, params),) = await site.events()
    assert (key, contact_id) == ("productViewed", site.anna)
    assert params["product"].items() >= {"productId": "SKU-1", "price": 9.5, "isInStock": 1}.items()
    assert "blue" in json.dumps(params)
    assert "mugs" in json.dumps(params)


async def test_the_cart_of_the_example_has_all_its_members(site: Site) -> None:
    await site.track("StatusCart", StatusCart=CART)
    await site.track("StatusCart", StatusCart={"GUID": "another", "Products": []})
    (first, _, full), (second, _, emptied) = await site.events()
    assert first == second == "cartUpdated"
    assert full["recycleStateId"] == CART["GUID"]
    assert full["products"][0].items() >= {"productId": "SKU-1", "price": 9.5, "quantity": 2}.items()
    assert "EUR" in json.dumps(full)
    assert emptied["products"] == []


async def test_the_purchase_of_the_example_counts_once_by_its_tracked_id(site: Site) -> None:
    who = {"user_email": "anna@example.com"}
    await site.track("PurchasedItems", who, TrackedOrderId="0f8b", PurchasedItems=ORDER)
    await site.track("PurchasedItems", who, PurchasedItems=ORDER | {"TrackedOrderId": "0f8b"})
    ((key, contact_id, params),) = await site.events()
    assert (key, contact_id) == ("purchase", site.anna)
    assert "SO-1001" in json.dumps(params)


async def test_a_product_of_an_order_may_be_named_as_shopify_does(site: Site) -> None:
    products = [{"productKey": "SKU-1", "unit_price": "9.50", "quantity": 2}]
    await site.track("PurchasedItems", PurchasedItems=ORDER | {"Products": products})
    ((_, _, params),) = await site.events()
    assert "SKU-1" in json.dumps(params)


@pytest.mark.parametrize(
    ("name", "members", "key", "shown"),
    [
        ("AddToWishlist", {"AddToWishlist": {"Product": PRODUCT}}, "productAddedToWishlist", "SKU-1"),
        (
            "ProductImpressions",
            {"ProductImpressions": {"Products": [{"product_id": "SKU-1", "container_type": "r1v2"}]}},
            "productImpressions",
            "SKU-1",
        ),
        (
            "CategoryPage",
            {"CategoryPage": {"Category": {"categoryKey": "mugs"}}},
            "productCategoryViewed",
            "mugs",
        ),
        ("SearchRequest", {"SearchRequest": {"search": "mug", "isFound": 1}}, "searchRequest", "mug"),
    ],
)
async def test_the_other_events_become_their_names_of_the_backend(
    site: Site, name: str, members: Any, key: str, shown: str
) -> None:
    await site.track(name, **members)
    ((found, _, params),) = await site.events()
    assert found == key
    assert shown in json.dumps(params)


async def test_customer_data_has_no_data_binds_the_visitor_and_makes_no_contact(site: Site) -> None:
    await site.track("SearchRequest", SearchRequest={"search": "mug"})
    await site.track("CustomerData", WHO)
    await site.track("CustomerData", {"user_email": "new@example.com", "cookies": {"sc": "another"}})
    assert [(key, contact) for key, contact, _ in await site.events()] == [("searchRequest", site.anna)]
    assert await site.api.rows("select count(*) from contact where org_id = %(org_id)s") == [(1,)]


async def test_a_product_update_names_only_event_and_site(site: Site) -> None:
    product = {
        "product_id": "SKU-1",
        "isInStock": 1,
        "unit_price": 9.5,
        "price_currency_code": "EUR",
        "name": "Mug",
        "category": "Home > Mugs",
        "tag_oldprice": ["12"],
    }
    info = {"eventName": "ProductUpdate", "siteId": site.site_id}
    answer = await site.send({"GeneralInfo": info, "ProductUpdate": [product]})
    assert answer.status_code == 200
    assert await site.api.rows("select name from product where org_id = %(org_id)s") == [("Mug",)]


@pytest.mark.parametrize("path", [TRACKER, "/api/v2", "/api/v2/"])
@pytest.mark.parametrize("auth", [None, ("any", "no key of ours")])
async def test_the_tracker_asks_for_no_credentials_and_looks_at_none(
    site: Site, path: str, auth: Any
) -> None:
    info = {"eventName": "PageView", "siteId": site.site_id, "cookies": {"sc": VISITOR}}
    answer = await site.send({"GeneralInfo": info}, path, auth=auth)
    assert (answer.status_code, answer.content) == (200, b"")
    assert await site.keys() == ["pageViewed"]


@pytest.mark.parametrize("missing", ["eventName", "siteId"])
async def test_event_and_site_are_required(site: Site, missing: str) -> None:
    info = {"eventName": "PageView", "siteId": site.site_id, "cookies": {"sc": VISITOR}}
    del info[missing]
    assert (await site.send({"GeneralInfo": info})).status_code == 400
    assert await site.keys() == []


@pytest.mark.parametrize("cookies", [{"cookies": {"sc": None}}, {"cookies": {}}, {"cookies": None}])
async def test_woocommerce_may_leave_the_visitor_out_and_send_a_number(site: Site, cookies: Any) -> None:
    email = [{"type": "email", "value": "anna@example.com"}]
    body = {"channels": email, "externalCustomerId": 1001}
    ok(await site.api.put(f"/api/v1/contact/{site.anna}", body))
    await site.track("PageView", {"externalCustomerId": 1001, **cookies})
    assert [(key, contact) for key, contact, _ in await site.events()] == [("pageViewed", site.anna)]


async def test_webcontact_binds_a_visitor(site: Site) -> None:
    await site.track("PageView")
    body = {
        "externalCustomerId": "CRM-1001",
        "webId": VISITOR,
        "orgId": site.api.org_id,
        "email": "anna@example.com",
        "phone": "380501112233",
    }
    assert (await site.send(body)).status_code == 200
    assert [(key, contact) for key, contact, _ in await site.events()] == [("pageViewed", site.anna)]


@pytest.mark.parametrize("path", [TRACKER, "/logs/v1/plugin"])
async def test_a_log_record_is_answered_and_its_data_kept_nowhere(
    site: Site, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    record = {
        "orgId": site.api.org_id,
        "typeCMS": "Shopify",
        "errorMessage": "",
        "data": '{"apiKey": "planted-marker"}',
        "message": "CREATE_CONTACT_SUCCESS",
        "log_level": "INFO",
    }
    assert (await site.send(record, path)).status_code == 200
    assert await site.keys() == []
    assert "planted-marker" not in caplog.text


async def test_no_event_of_a_page_changes_an_address_of_a_contact(site: Site) -> None:
    path = f"/api/v1/contact/{site.anna}"
    before = ok(await site.api.get(path)).json()
    changed = WHO | {"user_email": "evil@example.com", "user_phone": "380509999999", "user_name": "Evil"}
    await site.track("CustomerData", changed)
    await site.track("PageView", changed)
    assert ok(await site.api.get(path)).json() == before


BACKEND: dict[str, dict[str, Any]] = {
    "pageViewed": {"page": {"location": "https://shop.example.com"}},
    "productViewed": {
        "product": {"productId": "SKU-1", "price": 9.5, "color": ["blue"]},
        "currencyCode": "EUR",
    },
    "productCategoryViewed": {"category": {"productCategoryId": "mugs"}},
    "cartUpdated": {
        "products": [{"productId": "SKU-1", "quantity": 2, "price": 9.5}],
        "currencyCode": "EUR",
        "recycleStateId": "6F96",
    },
    "productImpressions": {"recomVariantId": "r1v2", "products": [{"productId": "SKU-1"}]},
    "productAddedToWishlist": {"product": {"productId": "SKU-1", "price": 9.5}, "currencyCode": "EUR"},
    "searchRequest": {"search": "mug", "isFound": 1},
}


@pytest.mark.parametrize("key", list(BACKEND))
async def test_the_backend_sends_the_same_names(site: Site, key: str) -> None:
    params = [{"name": "email", "value": "anna@example.com"}]
    params += [
        {"name": name, "value": json.dumps(value) if isinstance(value, (dict, list)) else value}
        for name, value in BACKEND[key].items()
    ]
    empty(await site.api.post("/api/v2/event", {"eventTypeKey": key, "params": params}))
    ((found, contact_id, kept),) = await site.events()
    assert (found, contact_id) == (key, site.anna)
    assert BACKEND[key].keys() <= kept.keys()
