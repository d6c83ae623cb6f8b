"""The Shopify app: a Node client with `fetch`; it reads `message` of a refusal, or the whole body where that is no JSON.

Batches of 200 customers, the site as a bare host, web push by the singular method with a worker behind the shop's proxy,
and an `eS('init')` that it replaces by one with the App Inbox.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from perigee.settings import Settings
from perigee.testing.api import SETTINGS, Api
from perigee.testing.line import Line, Reply, basic
from perigee.testing.outside import Names

SHOP = "shop.example.com"
PUSH = {
    "domain": f"https://{SHOP}",
    "serviceWorkerName": "service-worker.js",
    "serviceWorkerPath": "/apps/yespo-proxy/",
    "serviceWorkerScope": "/apps/yespo-proxy/",
}
ANNA = {
    "firstName": "Anna",
    "channels": [{"type": "email", "value": "anna@example.com"}],
    "externalCustomerId": "7001",
}


class Refused(Exception):
    """What the app shows its user."""


class App:
    def __init__(self, host: str, key: str) -> None:
        self.line = Line(host, Authorization=basic("any", key), Content_Type="application/json", Accept="*/*")

    async def raw(self, method: str, path: str, body: Any = None) -> Reply:
        return await self.line.call(method, path, None if body is None else json.dumps(body).encode())

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """The decoded answer, or its text; raises what the app reads from a refusal."""
        reply = await self.raw(method, f"/api/v1/{path}", body)
        try:
            answer = reply.json()
        except ValueError:
            answer = reply.text
        if not 200 <= reply.status < 300:
            raise Refused(answer["message"] if isinstance(answer, dict) else answer)
        return answer


@pytest.fixture
def app(api: Api, host: str) -> App:
    return App(host, api.key)


async def test_the_account_names_its_organisation_by_number(api: Api, app: App) -> None:
    assert (await app.call("GET", "account/info"))["orgId"] == api.org_id


async def test_a_wrong_key_is_shown_in_words(host: str) -> None:
    with pytest.raises(Refused, match=r"\w"):
        await App(host, "wrong").call("GET", "account/info")


async def test_a_bare_host_is_the_domain_and_its_script_is_made_to_show_the_inbox(app: App) -> None:
    assert (await app.call("POST", "site/domains", {"domain": SHOP}))["siteId"]
    script = await app.call("GET", "site/script")
    replaced = script.replace("eS('init')", "eS('init', {APP_INBOX: true}, {language: 'en'})")
    assert replaced != script
    assert "eS('init')" not in replaced


async def test_web_push_is_set_up_by_the_singular_method(app: App) -> None:
    done = {"success": {"domain": PUSH["domain"], "status": "ok"}}
    assert await app.call("POST", "site/webpush/domain", PUSH) == done
    assert await app.call("POST", "site/webpush/domain", PUSH) == done, "the same data once more"
    other = await app.call("POST", "site/webpush/domain", {**PUSH, "serviceWorkerName": "other.js"})
    assert other["errors"] == {"domain": PUSH["domain"], "message": "Domain is already registered"}
    script = await app.call("GET", f"site/webpush/script?domain={PUSH['domain']}")  # not encoded
    assert "pushOn" in script["script"]


async def test_the_token_of_the_shop_is_taken_and_kept_nowhere(api: Api, app: App) -> None:
    secret = "shpat-of-the-tests"
    for method in ("POST", "DELETE"):
        await app.call(method, "shopify/token", {"domain": SHOP, "accessToken": secret})
    tables = await api.rows(
        "select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'"
    )
    for (table,) in tables:
        assert await api.rows(f"select 1 from {table} t where t::text like '%%{secret}%%'") == [], table


async def test_a_customer_saved_twice_is_told_in_the_words_the_app_passes_over(app: App) -> None:
    contact_id = (await app.call("POST", "contact", ANNA))["id"]
    with pytest.raises(Refused, match="Duplicated request"):
        await app.call("POST", "contact", ANNA)
    changed = {**ANNA, "lastName": "Koval"}
    assert (await app.call("POST", "contact", changed))["id"] == contact_id


async def test_an_absent_customer_is_told_in_the_words_the_app_passes_over(app: App) -> None:
    with pytest.raises(Refused, match="not found"):
        await app.call("DELETE", "contact?externalCustomerId=7001&erase=true")
    await app.call("POST", "contact", ANNA)
    await app.call("DELETE", "contact?externalCustomerId=7001&erase=true")
    assert await app.call("GET", "contacts?email=anna@example.com") == []


async def test_customers_go_in_batches_of_200(api: Api, app: App) -> None:
    contacts = [
        {"externalCustomerId": str(n), "channels": [{"type": "email", "value": f"p{n}@example.com"}]}
        for n in range(200)
    ]
    taken = await app.call("POST", "contacts", {"contacts": contacts, "dedupeOn": "email"})
    assert taken["asyncSessionId"]
    await api.run_jobs()
    assert await api.rows("select count(*) from contact where org_id = %(org_id)s") == [(200,)]


async def test_orders_are_answered_by_nothing_or_by_those_that_failed(app: App) -> None:
    order = {
        "externalOrderId": "5001", "externalCustomerId": "7001", "totalCost": "59.90", "currency": "USD",
        "status": "INITIALIZED", "date": "2025-05-04T10:11:10Z", "items": [],
    }  # fmt: skip
    assert await app.call("POST", "orders", {"orders": [order]}) == ""
    failed = await app.call("POST", "orders", {"orders": [{**order, "date": "yesterday"}]})
    assert len(failed["failedOrders"]) == 1


async def test_the_inbox_gets_its_token_by_whatever_the_shop_knows(app: App) -> None:
    await app.call("POST", "contact", ANNA)
    assert (await app.call("POST", "auth/contact/token", {"externalCustomerId": "7001"}))["token"]
    assert await app.call("POST", "auth/contact/token", {"email": "nobody@example.com"}) == {"token": ""}


async def test_purchases_name_products_by_their_key_and_logs_are_kept_nowhere(api: Api, app: App) -> None:
    site = (await app.call("POST", "site/domains", {"domain": SHOP}))["siteId"]
    await app.call("POST", "contact", ANNA)
    purchase = {
        "GeneralInfo": {
            "eventName": "PurchasedItems", "siteId": site, "datetime": 1746346212000,
            "externalCustomerId": "7001", "cookies": {"sc": "CDA6"},
        },
        "TrackedOrderId": "0f8b",
        "PurchasedItems": {
            "OrderNumber": "5001", "Products": [{"productKey": "SKU-1", "unit_price": "9.50", "quantity": 2}],
        },
    }  # fmt: skip
    log = {
        "orgId": api.org_id, "typeCMS": "Shopify", "errorMessage": "", "data": '{"email":"anna@example.com"}',
        "message": "CREATE_CONTACT_SUCCESS", "log_level": "INFO",
    }  # fmt: skip
    for body in (purchase, log):
        assert (await app.raw("POST", "/tracker/api/v2", body)).status == 200
    ((key, params),) = await api.rows(
        "select t.key, e.params from event e join event_type t using (org_id, event_type_id)"
        " where e.org_id = %(org_id)s"
    )
    assert key == "purchase"
    assert "SKU-1" in json.dumps(params)


class TestDomainsAreChecked:
    @pytest.fixture
    def settings(self) -> Settings:
        return dataclasses.replace(SETTINGS, check_domains="on")

    async def test_a_shop_that_does_not_answer_is_told_in_the_words_the_app_looks_for(
        self, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("perigee.lib.outside.ThreadedResolver", Names)  # knows no name
        answer = await app.call("POST", "site/webpush/domain", PUSH)
        assert answer == {"errors": {"domain": PUSH["domain"], "message": "Domain can't be reached"}}
