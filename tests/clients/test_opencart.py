"""The OpenCart module: PHP and curl; exactly 200 is a success, the id of a bulk call is tested with `isset`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from perigee.testing.api import Api
from perigee.testing.line import Line, Reply, basic

VISITOR = "CDA68358-0000-4000-8000-3FEB3C4114A3"


class Module:
    def __init__(self, host: str, key: str) -> None:
        self._line = Line(host, Authorization=basic("api", key), Content_Type="application/json")

    async def call(self, method: str, path: str, body: Any = None) -> Reply:
        return await self._line.call(method, path, None if body is None else json.dumps(body).encode())

    async def good(self, method: str, path: str, body: Any = None) -> Any:
        """The decoded answer, None for none."""
        reply = await self.call(method, f"/api/v1/{path}", body)
        assert reply.status == 200, reply.text
        return reply.json() if reply.body[:1] in (b"{", b"[") else None


@pytest.fixture
def module(api: Api, host: str) -> Module:
    return Module(host, api.key)


def customer(number: int) -> dict[str, Any]:
    return {
        "externalCustomerId": number,
        "firstName": "Anna",
        "lastName": "",
        "channels": [{"type": "email", "value": f"anna-{number}@example.com"}],
    }


async def test_the_key_is_tested_and_the_organisations_number_kept(
    api: Api, module: Module, host: str
) -> None:
    assert (await module.good("GET", "account/info"))["orgId"] == api.org_id
    assert (await Module(host, "wrong").call("GET", "/api/v1/account/info")).status == 401


async def test_customers_are_exported_and_the_id_is_set_though_it_is_0(api: Api, module: Module) -> None:
    body = {"dedupeOn": "externalCustomerId", "contacts": [customer(number) for number in range(1, 2001)]}
    taken = await module.good("POST", "contacts", body)
    assert taken["id"] == 0
    await api.run_jobs()
    assert await api.rows("select count(*) from contact where org_id = %(org_id)s") == [(2000,)]


@pytest.mark.parametrize(("erase", "left"), [(1, 0), (0, 1)])
async def test_a_customer_is_deleted_with_erase_as_one_or_nought(
    api: Api, module: Module, erase: int, left: int
) -> None:
    await module.good("POST", "contact", customer(1001))
    await module.good("DELETE", f"contact?externalCustomerId=1001&erase={erase}")
    assert await module.good("GET", "contacts?externalCustomerId=1001") == []
    assert await api.rows("select count(*) from contact where org_id = %(org_id)s") == [(left,)]


async def test_orders_with_ints_and_empty_texts(api: Api, module: Module) -> None:
    order = {
        "externalOrderId": 501, "externalCustomerId": 1001, "totalCost": "59.9000", "status": "IN_PROGRESS",
        "date": "2025-05-04T10:11:10", "currency": "UAH", "email": "anna@example.com", "phone": "",
        "shipping": "", "discount": "", "deliveryMethod": "",
        "items": [{"externalItemId": 77, "name": "Mug", "quantity": "2", "cost": "29.9500"}],
    }  # fmt: skip
    reply = await module.call("POST", "/api/v1/orders", {"orders": [order]})
    assert (reply.status, reply.body) == (200, b"")
    ((number, total),) = await api.rows(
        "select external_order_id, total::float from orders where org_id = %(org_id)s"
    )
    assert (number, total) == ("501", 59.9)


async def test_the_inbox_token_is_asked_by_extid(module: Module) -> None:
    await module.good("POST", "contact", customer(1001))
    assert (await module.good("POST", "auth/contact/token", {"extid": 1001}))["token"]
    assert await module.good("POST", "auth/contact/token", {"extid": 9}) == {"token": ""}


async def test_the_worker_of_web_push_lies_in_the_root_of_the_site(module: Module) -> None:
    await module.good("POST", "site/webpush/domains", {
        "domains": [{
            "domain": "https://shop.example.com", "serviceWorkerName": "sw-yespo.js", "serviceWorkerPath": "/",
            "serviceWorkerScope": "/",
        }]
    })  # fmt: skip
    script = await module.good("GET", "site/webpush/script?domain=https%3A%2F%2Fshop.example.com")
    assert script["serviceWorker"]
    assert script["script"]


async def test_one_purchase_counts_once_though_its_mark_stands_inside(api: Api, module: Module) -> None:
    site = (await module.call("POST", "/api/v1/site/domains", {"domain": "shop.example.com"})).json()[
        "siteId"
    ]
    await module.good("POST", "contact", customer(1001))
    binding = {
        "externalCustomerId": "1001", "webId": VISITOR, "orgId": api.org_id, "email": "anna-1001@example.com",
    }  # fmt: skip
    purchase = {
        "GeneralInfo": {"eventName": "PurchasedItems", "siteId": site, "cookies": {"sc": VISITOR}},
        "PurchasedItems": {
            "TrackedOrderId": "0f8b", "OrderNumber": "501",
            "Products": [{"product_id": "77", "unit_price": "29.95", "quantity": "2"}],
        },
    }  # fmt: skip
    for body in (binding, purchase, purchase):
        assert (await module.call("POST", "/tracker/api/v2", body)).status == 200
    assert await api.rows("select count(*), count(contact_id) from event where org_id = %(org_id)s") == [
        (1, 1)
    ]


async def test_the_modules_log_is_answered(module: Module) -> None:
    log = {"orgId": 1001, "typeCMS": "OpenCart", "data": "{}", "message": "x", "log_level": "ERROR"}
    assert (await module.call("POST", "/logs/v1/plugin", log)).status == 200
