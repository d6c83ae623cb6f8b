"""/api/v4/orders."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from perigee.cli import orders
from perigee.cli.remote import Server
from perigee.orders.tests.conftest import wire_order
from perigee.testing.api import Api, make_organisation

PATH = "/api/v4/orders"


async def fill(api: Api) -> None:
    orders = [wire_order(f"SO-{n}", status="CANCELLED" if n == 1 else "DELIVERED") for n in range(4)]
    orders.append(
        wire_order(
            "SO-4",
            externalCustomerId="CRM-2",
            items=[{"externalItemId": "A", "quantity": "1.5", "colour": "red"}],
        )
    )
    await api.post("/api/v1/orders", {"orders": orders})


async def page(api: Api, **query: Any) -> tuple[list[str], str | None]:
    answer = (await api.get(PATH, params=query)).json()
    return [order["external_order_id"] for order in answer["items"]], answer.get("next")


async def test_pages_from_the_newest_to_the_oldest(api: Api) -> None:
    await fill(api)
    assert await page(api) == (["SO-4", "SO-3", "SO-2", "SO-1", "SO-0"], None)
    first, cursor = await page(api, limit=3)
    assert first == ["SO-4", "SO-3", "SO-2"]
    assert await page(api, limit=3, cursor=cursor) == (["SO-1", "SO-0"], None)


async def test_contact_and_status_narrow_the_list(api: Api) -> None:
    await fill(api)
    ((contact_id,),) = await api.rows(
        "select contact_id from contact where org_id = %(org_id)s and external_id = 'CRM-1'"
    )
    assert await page(api, contact_id=contact_id) == (["SO-3", "SO-2", "SO-1", "SO-0"], None)
    assert await page(api, contact_id=contact_id, status="CANCELLED") == (["SO-1"], None)


async def test_an_order_with_its_items(api: Api) -> None:
    await fill(api)
    listed = (await api.get(PATH)).json()["items"][0]
    order = (await api.get(f"{PATH}/{listed['order_id']}")).json()
    assert order == listed | {
        "details": {"externalCustomerId": "CRM-2"},
        "items": [
            {
                "external_item_id": "A",
                "name": None,
                "category": None,
                "quantity": 1.5,
                "cost": None,
                "details": {"colour": "red"},
            }
        ],
        "contact": {
            "contact_id": listed["contact_id"],
            "external_id": "CRM-2",
            "email": None,
            "phone": None,
            "first_name": None,
            "last_name": None,
        },
    }


async def test_another_organisations_order_looks_like_none(api: Api) -> None:
    await fill(api)
    order_id = (await api.get(PATH)).json()["items"][0]["order_id"]
    _, key = await make_organisation(api.db, "Other Shop")
    assert (await api.get(f"{PATH}/{order_id}", key=key)).status_code == 404
    assert (await api.get(PATH, key=key)).json() == {"items": []}


async def test_bad_queries_are_problems(api: Api) -> None:
    for query in ({"cursor": "x"}, {"limit": "0"}, {"limit": "501"}, {"contact_id": "x"}):
        answer = await api.get(PATH, params=query)
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"


async def test_the_summary_adds_up_by_status_and_currency(api: Api) -> None:
    await fill(api)
    summary = (await api.get(PATH + "/summary")).json()
    assert summary["orders"] == 5
    assert [
        (line["status"], line["orders"], line["customers"], line["total"]) for line in summary["totals"]
    ] == [
        ("CANCELLED", 1, 1, 59.9),
        ("DELIVERED", 4, 2, 239.6),
    ]
    assert summary["placed"] == [{"currency": "USD", "orders": 4, "total": 239.6}]


async def test_the_total_is_of_what_was_placed(api: Api) -> None:
    """Product 9: initialised, in progress and delivered; cancelled ones and carts apart."""
    words = ("INITIALIZED", "IN_PROGRESS", "DELIVERED", "CANCELLED", "ABANDONED_SHOPPING_CART", "LOST")
    orders = [wire_order(f"SO-{n}", status=word, totalCost=10**n) for n, word in enumerate(words)]
    await api.post("/api/v1/orders", {"orders": [*orders, wire_order("SO-9", currency="EUR", totalCost=5)]})
    summary = (await api.get(PATH + "/summary")).json()
    assert summary["orders"] == 7
    assert summary["placed"] == [
        {"currency": "EUR", "orders": 1, "total": 5},
        {"currency": "USD", "orders": 3, "total": 111},
    ]
    narrowed = (await api.get(PATH + "/summary", params={"status": "DELIVERED,CANCELLED"})).json()
    assert [(line["status"], line["currency"]) for line in narrowed["totals"]] == [
        ("CANCELLED", "USD"),
        ("DELIVERED", "EUR"),
        ("DELIVERED", "USD"),
    ]


async def test_period_and_text_narrow_the_list(api: Api) -> None:
    orders = [
        wire_order(
            f"SO-{n}",
            date=f"2025-05-0{n}T23:30:00Z",
            externalCustomerId=f"CRM-{n}",
            email=f"p{n}@example.com",
        )
        for n in range(1, 5)
    ]
    orders[3] |= {"externalOrderId": "SO_5", "phone": "380501112233"}
    await api.post("/api/v1/orders", {"orders": orders})
    assert await page(api, **{"from": "2025-05-02", "to": "2025-05-03"}) == (["SO-3", "SO-2"], None)
    assert await page(api, text="so-") == (["SO-3", "SO-2", "SO-1"], None)
    assert await page(api, text="O_5") == (["SO_5"], None)
    assert await page(api, text="P2@Example.com") == (["SO-2"], None)
    assert await page(api, text="CRM-3") == (["SO-3"], None)
    assert await page(api, text="+380 50 111 22 33") == (["SO_5"], None)
    assert await page(api, text="nobody") == ([], None)


async def the_order(api: Api, external_order_id: str) -> int:
    ((found,),) = await api.rows(
        "select order_id from orders where org_id = %(org_id)s and external_order_id = %(id)s",
        id=external_order_id,
    )
    return int(found)


async def delivered(api: Api) -> int:
    ((found,),) = await api.rows(
        "select delivered from contact_orders join contact using (org_id, contact_id) "
        "where org_id = %(org_id)s and external_id = 'CRM-1'"
    )
    return int(found)


async def happened(api: Api, key: str) -> int:
    ((found,),) = await api.rows(
        "select count(*) from event join event_type using (org_id, event_type_id) "
        "where org_id = %(org_id)s and key = %(key)s",
        key=key,
    )
    return int(found)


async def test_a_status_is_changed(api: Api) -> None:
    await fill(api)
    path = f"{PATH}/{await the_order(api, 'SO-2')}"
    changed = await api.call("PATCH", path, {"status": "in_progress"})
    assert changed.json()["status"] == "IN_PROGRESS"
    assert (await delivered(api), await happened(api, "orderIN_PROGRESS")) == (2, 1)
    await api.call("PATCH", path, {"status": "IN_PROGRESS"})
    assert await happened(api, "orderIN_PROGRESS") == 1
    for body in ({"status": ""}, {"status": "a b?"}, {}, {"status": "DELIVERED", "total": 1}):
        assert (await api.call("PATCH", path, body)).status_code == 400, body
    assert (await api.call("PATCH", f"{PATH}/999999", {"status": "DELIVERED"})).status_code == 404


async def test_an_order_is_deleted(api: Api) -> None:
    await fill(api)
    path = f"{PATH}/{await the_order(api, 'SO-2')}"
    assert (await api.delete(path)).status_code == 204
    assert (await api.get(path)).status_code == 404
    assert (await api.delete(path)).status_code == 404
    assert await delivered(api) == 2


async def test_by_command(api: Api, host: str, capsys: pytest.CaptureFixture[str]) -> None:
    await fill(api)
    server = Server(url=host, key=api.key)

    async def said(command: Any, *arguments: Any, **more: Any) -> str:
        await asyncio.to_thread(command, *arguments, server=server, **more)
        return capsys.readouterr().out

    listed = await said(orders.list_orders, statuses=["CANCELLED"])
    assert "SO-1" in listed
    assert "SO-2" not in listed
    assert "239.6" in await said(orders.summary, start="2025-05-01", end="2025-05-31")
    number = await the_order(api, "SO-4")
    assert "CRM-2" in await said(orders.show, number)
    assert "SO-4 is CANCELLED" in await said(orders.status, number, "CANCELLED")
    await said(orders.delete, number)
    assert "no such orders" in await said(orders.list_orders, text="SO-4")
