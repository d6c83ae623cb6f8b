"""The tracker over the wire (TRACKING 1.3, 2 and 10)."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from litestar.testing import AsyncTestClient

from perigee.db.pool import Database
from perigee.http.app import create_app
from perigee.testing.api import SETTINGS, Api, make_organisation

TRACKER = "/tracker/api/v2"
ANNA, BORIS = "CDA68358-0000-4000-8000-3FEB3C4114A3", "0B0B0B0B-0000-4000-8000-000000000002"
PRODUCT = {"ProductPage": {"Product": {"productKey": "SKU-1", "price": "9.50 EUR", "isInStock": "1"}}}
CART = {"StatusCart": {"GUID": "6F96-1", "Products": [{"productKey": "SKU-1", "price": 9.5, "quantity": 2}]}}
EVENTS = """select t.key, e.contact_id, e.params, e.event_key, e.source from event e join event_type t
            using (org_id, event_type_id) where e.org_id = %(org_id)s order by e.event_id"""


class Shop:
    """An organisation with a site and a contact, and short ways to report what its visitors do."""

    def __init__(self, api: Api, site_id: str, contact_id: int) -> None:
        self.api = api
        self.site_id = site_id
        self.anna = contact_id

    async def track(
        self, name: str, data: dict[str, Any], visitor: str | None = ANNA, path: str = TRACKER, **general: Any
    ) -> httpx.Response:
        """Without credentials, as a page reports."""
        info = {"eventName": name, "siteId": self.site_id, "cookies": {"sc": visitor}, **general}
        return await self.post({"GeneralInfo": info, **data}, path)

    async def post(self, body: Any, path: str = TRACKER, **more: Any) -> httpx.Response:
        return await self.api.post(path, body, key="", **more)

    async def events(self) -> list[tuple[str, int | None]]:
        return [row[:2] for row in await self.api.rows(EVENTS)]

    async def contacts(self) -> list[Any]:
        return await self.api.rows(
            "select contact_id, external_id, email, phone, first_name from contact where org_id = %(org_id)s"
        )


@pytest.fixture
async def shop(api: Api) -> Shop:
    site = (await api.post("/api/v1/site/domains", {"domain": "shop.example.com"})).json()
    contact = {
        "channels": [
            {"type": "email", "value": "anna@example.com"},
            {"type": "sms", "value": "380501112233"},
        ],
        "externalCustomerId": "CRM-1001",
        "firstName": "Anna",
    }
    made = (await api.post("/api/v1/contact", contact)).json()
    return Shop(api, site["siteId"], made["id"])


@pytest.mark.parametrize("path", [TRACKER, "/api/v2", "/tracker/api/v2/", "/api/v2/"])
async def test_both_addresses_take_an_event_without_credentials_and_answer_200_without_a_body(
    shop: Shop, path: str
) -> None:
    answer = await shop.track("ProductPage", PRODUCT, path=path, user_email="anna@example.com")
    assert (answer.status_code, answer.content) == (200, b"")
    assert await shop.events() == [("productViewed", shop.anna)]


async def test_basic_credentials_that_plugins_send_are_not_looked_at(shop: Shop) -> None:
    answer = await shop.post(
        {"GeneralInfo": {"eventName": "PageView", "siteId": shop.site_id, "cookies": {"sc": ANNA}}},
        auth=("any", "no key of ours"),
    )
    assert answer.status_code == 200


async def test_the_event_is_stored_under_its_common_name_as_the_trackers(shop: Shop) -> None:
    await shop.track("StatusCart", CART, user_email="anna@example.com")
    ((key, contact, params, event_key, source),) = await shop.api.rows(EVENTS)
    assert (key, contact, event_key, source) == ("cartUpdated", shop.anna, "6F96-1", "tracker")
    assert params == {
        "products": [{"productId": "SKU-1", "price": 9.5, "quantity": 2}],
        "recycleStateId": "6F96-1",
    }


@pytest.mark.parametrize(
    "who",
    [
        {"externalCustomerId": "CRM-1001"},
        {"user_email": "Anna@Example.com"},
        {"user_phone": "+380 50 111-22-33"},
    ],
)
async def test_an_identity_binds_the_visitor_and_brings_along_what_it_did_before(
    shop: Shop, who: dict[str, Any]
) -> None:
    await shop.track("ProductPage", PRODUCT)
    await shop.track("ProductPage", PRODUCT, visitor=BORIS)
    assert await shop.events() == [("productViewed", None)] * 2
    await shop.track("CustomerData", {}, **who)
    assert await shop.events() == [("productViewed", shop.anna), ("productViewed", None)]
    await shop.track("PageView", {})
    assert (await shop.events())[-1] == ("pageViewed", shop.anna)


async def test_a_number_for_the_customers_id_is_taken_as_text(shop: Shop) -> None:
    await shop.api.put(
        f"/api/v1/contact/{shop.anna}",
        {"externalCustomerId": "77", "channels": [{"type": "email", "value": "anna@example.com"}]},
    )
    await shop.track("CustomerData", {}, externalCustomerId=77)
    await shop.track("PageView", {})
    assert await shop.events() == [("pageViewed", shop.anna)]


async def test_a_contact_id_from_a_link_binds_but_does_not_outrank_a_name(shop: Shop) -> None:
    other = (
        await shop.api.post("/api/v1/contact", {"channels": [{"type": "email", "value": "b@example.com"}]})
    ).json()["id"]
    await shop.track("PageView", {}, user_es_contact_id=str(other))
    assert await shop.events() == [("pageViewed", other)]
    await shop.track("CustomerData", {}, user_email="anna@example.com")
    await shop.track("PageView", {}, user_es_contact_id=str(other))
    assert (await shop.events())[-1] == ("pageViewed", shop.anna)


async def test_a_forwarded_link_does_not_make_somebody_who_is_named_another(shop: Shop) -> None:
    other = (
        await shop.api.post("/api/v1/contact", {"channels": [{"type": "email", "value": "b@example.com"}]})
    ).json()["id"]
    await shop.track("PageView", {}, user_email="anna@example.com", user_es_contact_id=str(other))
    await shop.track("PageView", {}, user_email="nobody@example.com", user_es_contact_id=str(other))
    assert await shop.events() == [("pageViewed", shop.anna)] * 2
    await shop.track(
        "PageView", {}, visitor=BORIS, user_email="nobody@example.com", user_es_contact_id=str(other)
    )
    assert (await shop.events())[-1] == ("pageViewed", other)


async def test_who_signs_in_later_takes_the_visitor_over(shop: Shop) -> None:
    other = (
        await shop.api.post("/api/v1/contact", {"channels": [{"type": "email", "value": "b@example.com"}]})
    ).json()["id"]
    await shop.track("PageView", {}, user_email="anna@example.com")
    await shop.track("PageView", {}, user_email="b@example.com")
    await shop.track("PageView", {})
    assert await shop.events() == [("pageViewed", shop.anna), ("pageViewed", other), ("pageViewed", other)]


async def test_no_event_makes_or_changes_a_contact(shop: Shop) -> None:
    before = await shop.contacts()
    await shop.track("CustomerData", {"CustomerData": {"user_email": "new@example.com", "user_name": "New"}})
    await shop.track(
        "PurchasedItems",
        {"PurchasedItems": {"OrderNumber": "SO-1", "Products": []}},
        externalCustomerId="CRM-1001",
        user_email="changed@example.com",
        user_phone="380509998877",
        user_name="Changed",
    )
    assert await shop.contacts() == before


async def test_an_address_does_not_lead_to_a_contact_with_another_customer_id(shop: Shop) -> None:
    await shop.track("PageView", {}, externalCustomerId="CRM-2", user_email="anna@example.com")
    assert await shop.events() == [("pageViewed", None)]


@pytest.mark.parametrize("info", [{"GeneralInfo": {"user_email": "anna@example.com"}}, {}])
async def test_general_info_may_stand_beside_the_data_or_inside_it(shop: Shop, info: dict[str, Any]) -> None:
    beside = {} if info else {"user_email": "anna@example.com"}
    await shop.track("PageView", {"PageView": info}, **beside)
    assert await shop.events() == [("pageViewed", shop.anna)]


async def test_a_server_may_leave_the_cookie_out_when_it_says_who_it_is(shop: Shop) -> None:
    assert (await shop.track("PageView", {}, visitor=None, user_email="anna@example.com")).status_code == 200
    assert await shop.events() == [("pageViewed", shop.anna)]
    answer = await shop.track("PageView", {}, visitor=None)
    assert answer.status_code == 400
    assert answer.json()["field"] == "GeneralInfo.cookies.sc"


async def test_a_purchase_reported_by_page_and_server_counts_once(shop: Shop) -> None:
    order = {
        "OrderNumber": "SO-1001",
        "Products": [{"product_id": "SKU-1", "unit_price": "9.50", "quantity": 2}],
    }
    who = {"user_email": "anna@example.com"}
    await shop.track("PurchasedItems", {"PurchasedItems": order, "TrackedOrderId": "0f8b"}, **who)
    await shop.track(
        "PurchasedItems", {"PurchasedItems": order, "TrackedOrderId": "0f8b"}, visitor=None, **who
    )
    await shop.track("PurchasedItems", {"PurchasedItems": order}, **who)
    await shop.track(
        "PurchasedItems",
        {"PurchasedItems": {**order, "OrderNumber": "1001", "TrackedOrderId": "0f8b"}},
        **who,
    )
    assert await shop.events() == [("purchase", shop.anna)]
    await shop.track("PurchasedItems", {"PurchasedItems": {**order, "OrderNumber": "SO-1002"}}, **who)
    assert len(await shop.events()) == 2


async def test_a_state_of_the_cart_counts_once(shop: Shop) -> None:
    await shop.track("StatusCart", CART)
    await shop.track("StatusCart", CART)
    await shop.track("StatusCart", {"StatusCart": {"GUID": "6F96-2", "Products": []}})
    assert await shop.events() == [("cartUpdated", None)] * 2


async def test_webcontact_binds_a_visitor_to_a_contact(shop: Shop) -> None:
    await shop.track("PageView", {})
    answer = await shop.post(
        {
            "externalCustomerId": "1001",
            "webId": ANNA,
            "orgId": shop.api.org_id,
            "email": "anna@example.com",
            "phone": "",
        }
    )
    assert answer.status_code == 200
    assert await shop.events() == [("pageViewed", None)]  # the id is another customer's than Anna's
    await shop.post({"externalCustomerId": "CRM-1001", "webId": ANNA, "orgId": str(shop.api.org_id)})
    assert await shop.events() == [("pageViewed", shop.anna)]


async def test_webcontact_of_an_unknown_organisation_is_refused(shop: Shop) -> None:
    answer = await shop.post({"externalCustomerId": "CRM-1001", "webId": ANNA, "orgId": 999_999})
    assert (answer.status_code, answer.json()["field"]) == (400, "orgId")


@pytest.mark.parametrize("path", [TRACKER, "/logs/v1/plugin"])
async def test_a_plugins_log_record_is_answered_and_kept_nowhere(shop: Shop, path: str) -> None:
    body = {
        "orgId": shop.api.org_id,
        "typeCMS": "Shopify",
        "errorMessage": "",
        "data": '{"key": "planted-marker"}',
        "message": "CREATE_CONTACT_SUCCESS",
        "log_level": "INFO",
    }
    assert (await shop.post(body, path)).status_code == 200
    assert await shop.events() == []


async def test_a_log_record_need_not_be_json(shop: Shop) -> None:
    answer = await shop.api.call(
        "POST", "/logs/v1/plugin", key="", content=b"{ not json", headers={"content-type": "text/plain"}
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "GeneralInfo"),
        ({"GeneralInfo": {}}, "GeneralInfo.eventName"),
        ({"GeneralInfo": {"eventName": "PageView"}}, "GeneralInfo.siteId"),
        ({"GeneralInfo": {"eventName": "PageView", "siteId": "F" * 32}}, "GeneralInfo.siteId"),
        ({"GeneralInfo": []}, "GeneralInfo"),
        ([], "body"),
    ],
)
async def test_a_body_that_names_no_event_or_site_is_refused(shop: Shop, body: Any, field: str) -> None:
    answer = await shop.post(body)
    assert (answer.status_code, answer.json().get("field")) == (400, field)


async def test_a_site_that_is_added_later_is_known_within_the_time_of_memory(shop: Shop) -> None:
    """And the case of the id does not count."""
    assert (await shop.track("PageView", {}, siteId=shop.site_id.lower())).status_code == 200


async def test_another_organisations_contact_is_nobody_here(shop: Shop, db: Database) -> None:
    org_id, key = await make_organisation(db, "Other Shop")
    theirs = (
        await shop.api.post(
            "/api/v1/contact", {"channels": [{"type": "email", "value": "x@example.com"}]}, key=key
        )
    ).json()["id"]
    await shop.track("PageView", {}, user_es_contact_id=str(theirs), user_email="x@example.com")
    assert await shop.events() == [("pageViewed", None)]
    assert await shop.api.rows("select 1 from event where org_id = %(other)s", other=org_id) == []


@pytest.mark.parametrize(
    ("agent", "recorded"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", False),
        ("Mozilla/5.0 (Linux; Android 10; CUBOT_NOTE_S) Chrome/120.0 Mobile Safari/537.36", True),
        ("WordPress/6.6; https://shop.example.com", True),
    ],
)
async def test_what_robots_look_at_is_not_recorded(shop: Shop, agent: str, recorded: bool) -> None:
    body = {"GeneralInfo": {"eventName": "PageView", "siteId": shop.site_id, "cookies": {"sc": ANNA}}}
    assert (await shop.post(body, headers={"user-agent": agent})).status_code == 200
    assert len(await shop.events()) == recorded


async def test_of_a_visitor_who_does_not_agree_nothing_is_kept(shop: Shop) -> None:
    answer = await shop.track("PageView", {}, consent=False, user_email="anna@example.com")
    assert answer.status_code == 200
    assert await shop.events() == []
    assert await shop.api.rows("select 1 from visitor where org_id = %(org_id)s") == []


async def test_the_moment_is_the_pages_unless_its_clock_is_wrong(shop: Shop) -> None:
    now = datetime.now(UTC)
    for moment in (now - timedelta(hours=1), now + timedelta(days=1), now - timedelta(days=400)):
        await shop.track("PageView", {}, datetime=int(moment.timestamp() * 1000))
    for odd in ("soon", 10**17, -1, True):
        assert (await shop.track("PageView", {}, datetime=odd)).status_code == 200
    first, *others = [
        row[0]
        for row in await shop.api.rows(
            "select occurred_at from event where org_id = %(org_id)s order by event_id"
        )
    ]
    assert abs(first - (now - timedelta(hours=1))) < timedelta(seconds=1)
    assert all(abs(at - now) < timedelta(minutes=1) for at in others)


async def test_a_body_that_is_too_large_is_refused(shop: Shop) -> None:
    answer = await shop.track("SearchRequest", {"SearchRequest": {"search": "x" * 300_000}})
    assert answer.status_code == 413


async def test_pages_of_any_origin_may_call_without_credentials(shop: Shop) -> None:
    for path in (TRACKER, "/api/v2"):
        asked = await shop.api.call("OPTIONS", path, key="", headers={"origin": "https://shop.example.com"})
        assert asked.status_code == 200
        assert asked.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in asked.headers
        assert "Content-Type" in asked.headers["access-control-allow-headers"]


async def test_an_erased_contact_takes_its_visits_along(shop: Shop) -> None:
    await shop.track("PageView", {}, user_email="anna@example.com")
    await shop.api.delete("/api/v1/contact?externalCustomerId=CRM-1001&erase=true")
    assert await shop.events() == []
    assert await shop.api.rows("select 1 from visitor where org_id = %(org_id)s") == []


async def test_one_address_may_not_flood(db: Database, database_url: str) -> None:
    settings = dataclasses.replace(SETTINGS, rate_tracker=1)
    await make_organisation(db)
    async with AsyncTestClient(create_app(settings, database_url), base_url="http://perigee.test") as client:
        answers = [await client.post(TRACKER, json={}) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [400] * 10 + [429]
    assert int(answers[-1].headers["retry-after"]) >= 1
