"""The WooCommerce plugin, from the key to the shop's last visitor: PHP, `wp_remote_request`, no user name.

It tells answers apart by their status alone, but for `status` in the body of a refused key, `siteId`, the two members
of the web-push script and `status` of an import. Tracker events go to another host, with the same credentials.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any
from urllib.parse import quote

import pytest

from perigee.settings import Settings
from perigee.testing.api import SETTINGS, Api
from perigee.testing.line import Line, Reply, basic

SITE = "https://shop.example.com/ua"
PUSH = {
    "domain": "https://shop.example.com",
    "serviceWorkerName": "push-yespo-sw.js",
    "serviceWorkerPath": "/wp-content/uploads/yespo-cdp/",
    "serviceWorkerScope": "/wp-content/uploads/yespo-cdp/",
}
VISITOR = "CDA68358-0000-4000-8000-3FEB3C4114A3"


class Plugin:
    """`base` and tracker are two constants of the plugin."""

    def __init__(self, host: str, key: str) -> None:
        self._line = Line(host, Authorization=basic("", key))

    async def call(self, method: str, path: str, body: Any = None, accept: str = "application/json") -> Reply:
        headers = {"Accept": accept}
        if body is None:
            return await self._line.call(method, path, headers=headers)
        headers["Content-Type"] = "application/json"
        return await self._line.call(method, path, json.dumps(body).encode(), headers)

    async def v1(self, method: str, path: str, body: Any = None, **more: Any) -> Reply:
        return await self.call(method, f"/api/v1/{path}", body, **more)

    async def track(self, body: Any) -> Reply:
        return await self.call("POST", "/tracker/api/v2", body)

    async def export(self, contacts: list[Any], **more: Any) -> Reply:
        return await self.v1(
            "POST", "contacts", {"dedupeOn": "externalCustomerId", "contacts": contacts, **more}
        )


@pytest.fixture
def plugin(api: Api, host: str) -> Plugin:
    return Plugin(host, api.key)


def customer(number: int, **more: Any) -> dict[str, Any]:
    """A customer as the plugin maps it: an int for the id, what is empty as one space."""
    return {
        "externalCustomerId": number,
        "firstName": "Anna",
        "lastName": " ",
        "channels": [
            {"type": "email", "value": f"anna-{number}@example.com"},
            {"type": "sms", "value": "380501112233"},
        ],
        "address": {"region": " ", "town": "Exampleton", "address": " ", "postcode": "10001"},
        **more,
    }


def order(number: int, **more: Any) -> dict[str, Any]:
    return {
        "externalOrderId": number,
        "externalCustomerId": "1001",
        "totalCost": "59.90",
        "status": "INITIALIZED",
        "email": "anna-1001@example.com",
        "date": "2025-05-04T10:11:10.123456+03:00",
        "currency": "UAH",
        "firstName": "Anna",
        "lastName": "",
        "phone": "",
        "shipping": "",
        "discount": 0,
        "taxes": "0",
        "items": [{"externalItemId": 77, "name": "Mug", "quantity": "2", "cost": "29.95", "imageUrl": ""}],
        **more,
    }


async def test_a_key_is_tested_by_account_info_and_a_refused_one_says_status_401_in_its_body(
    plugin: Plugin, host: str
) -> None:
    assert (await plugin.v1("GET", "account/info")).status == 200
    refused = await Plugin(host, "no such key").v1("GET", "account/info")
    assert (refused.status, refused.json()["status"]) == (401, 401)


async def test_a_site_is_set_up_with_its_full_address_script_push_script_and_worker(
    api: Api, plugin: Plugin
) -> None:
    made = await plugin.v1("POST", "site/domains", {"domain": SITE})
    assert made.status in (200, 201)
    again = await plugin.v1("POST", "site/domains", {"domain": SITE})
    assert (again.status, again.json()) == (200, made.json())
    assert made.json()["domain"] == "shop.example.com"

    script = await plugin.v1("GET", "site/script", accept="text/plain")
    assert script.status == 200
    assert script.headers["content-type"].startswith("text/plain")
    assert script.text.strip().startswith("<script")
    assert script.text.strip().endswith("</script>")
    assert f"/scripts/{made.json()['siteId']}.js" in script.text
    page = await plugin.call("GET", f"/scripts/{made.json()['siteId']}.js")
    assert f'"orgId":{api.org_id}' in page.text.replace(
        " ", ""
    ) or f"orgId:{api.org_id}" in page.text.replace(" ", "")

    for _ in range(2):  # the plugin repeats when its options are saved again
        assert 200 <= (await plugin.v1("POST", "site/webpush/domains", {"domains": [PUSH]})).status < 300
    push = await plugin.v1("GET", f"site/webpush/script?domain={quote(PUSH['domain'], safe='')}")
    assert push.status == 200
    assert set(push.json()) == {"script", "serviceWorker"}
    assert "pushOn" in push.json()["script"]
    assert "importScripts(" in push.json()["serviceWorker"]


async def test_customers_are_exported_in_one_call_and_the_import_is_polled_to_its_end(
    api: Api, plugin: Plugin
) -> None:
    taken = await plugin.export([customer(number) for number in range(1000, 3000)])
    assert taken.status == 200
    path = f"importstatus/{taken.json()['asyncSessionId']}"
    assert (await plugin.v1("GET", path)).json()["status"] == "STARTED"
    await api.run_jobs()
    assert (await plugin.v1("GET", path)).json()["status"] == "FINISHED"
    assert await api.rows("select count(*) from contact where org_id = %(org_id)s") == [(2000,)]
    (read,) = (await plugin.v1("GET", "contacts?externalCustomerId=1001")).json()
    assert (read["externalCustomerId"], read["firstName"]) == ("1001", "Anna")
    assert "lastName" not in read, "one space means empty"
    assert read["address"] == {"region": "", "town": "Exampleton", "address": "", "postcode": "10001"}


async def test_a_phone_is_removed_by_naming_it_and_giving_none(api: Api, plugin: Plugin) -> None:
    await plugin.export([customer(1001)])
    await api.run_jobs()
    channels = [{"type": "email", "value": "anna-1001@example.com"}]
    removal = {"dedupeOn": "email", "contactFields": ["sms"], "contacts": [{"channels": channels}]}
    assert (await plugin.v1("POST", "contacts", removal)).status == 200
    await api.run_jobs()
    (read,) = (await plugin.v1("GET", "contacts?externalCustomerId=1001")).json()
    assert (read["channels"], read["firstName"]) == (channels, "Anna")


@pytest.mark.parametrize("erase", ["true", "false"])
async def test_a_customer_who_leaves_is_deleted_until_the_answer_is_200(
    api: Api, plugin: Plugin, erase: str
) -> None:
    path = f"contact?externalCustomerId=1001&erase={erase}"
    assert (await plugin.v1("DELETE", path)).status == 404
    await plugin.export([customer(1001)])
    await api.run_jobs()
    assert (await plugin.v1("DELETE", path)).status == 200
    if erase == "false":
        assert (await plugin.v1("DELETE", path)).status == 200, "the plugin repeats until it is"
    assert (await plugin.v1("GET", "contacts?externalCustomerId=1001")).json() == []


async def test_orders_of_ints_numeric_texts_and_empty_texts_are_taken_with_no_body(
    api: Api, plugin: Plugin
) -> None:
    answer = await plugin.v1("POST", "orders", {"orders": [order(501), order(502, status="DELIVERED")]})
    assert (answer.status, answer.body) == (200, b"")
    assert await api.rows(
        "select external_order_id, total::float, status from orders where org_id = %(org_id)s order by 1"
    ) == [("501", 59.9, "INITIALIZED"), ("502", 59.9, "DELIVERED")]


async def test_orders_that_will_never_be_right_are_400_and_not_a_fault_to_try_again(plugin: Plugin) -> None:
    assert (await plugin.v1("POST", "orders", {})).status == 400


async def test_an_event_of_the_shop_has_an_empty_answer(plugin: Plugin) -> None:
    event = {"eventTypeKey": "passwordReset", "keyValue": "anna@example.com", "params": []}
    answer = await plugin.v1("POST", "event", event)
    assert (answer.status, answer.body) == (200, b"")


async def test_the_shops_server_tells_the_tracker_who_the_visitor_is_and_what_they_bought(
    api: Api, plugin: Plugin
) -> None:
    site = (await plugin.v1("POST", "site/domains", {"domain": SITE})).json()["siteId"]
    await plugin.export([customer(1001)])
    await api.run_jobs()
    binding = {
        "externalCustomerId": "1001",
        "webId": VISITOR,
        "orgId": api.org_id,
        "email": "anna-1001@example.com",
        "phone": "",
    }
    assert (await plugin.track(binding)).status == 200

    def general(name: str, **more: Any) -> dict[str, Any]:
        return {"eventName": name, "siteId": site, "datetime": 1746346212000, **more}

    cart = {"GUID": "6F96", "Products": [{"productKey": "77", "price": "29.95", "quantity": 2}]}
    purchase = {
        "OrderNumber": "501",
        "Products": [{"product_id": "77", "unit_price": "29.95", "quantity": 2}],
    }
    for body in (
        {"GeneralInfo": general("StatusCart", cookies={"sc": VISITOR}), "StatusCart": cart},
        {
            "GeneralInfo": general("PurchasedItems", externalCustomerId=1001, cookies={"sc": None}),
            "TrackedOrderId": "0f8b",
            "PurchasedItems": purchase,
        },
        {"GeneralInfo": general("CustomerData", externalCustomerId=1001, user_email="anna-1001@example.com")},
    ):
        assert (await plugin.track(body)).status == 200, body
    assert await api.rows(
        """select t.key, c.external_id from event e join event_type t using (org_id, event_type_id)
           join contact c using (org_id, contact_id) where e.org_id = %(org_id)s order by e.event_id"""
    ) == [("cartUpdated", "1001"), ("purchase", "1001")]


class TestTooFast:
    @pytest.fixture
    def settings(self) -> Settings:
        return dataclasses.replace(SETTINGS, rate_calls=1)

    async def test_too_many_calls_are_429_with_the_seconds_to_wait(self, plugin: Plugin) -> None:
        replies = [await plugin.v1("POST", "orders", {"orders": []}) for _ in range(4)]
        late = next(reply for reply in replies if reply.status == 429)
        assert int(late.any_case("Retry-After") or "") >= 1
        assert late.json()["status"] == 429
