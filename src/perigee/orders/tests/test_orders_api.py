"""/api/v4/orders."""

from __future__ import annotations

from typing import Any

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
