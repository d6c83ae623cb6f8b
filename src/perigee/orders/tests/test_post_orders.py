"""POST v1/orders on the wire (contract 17.1, 25.4, 25.5)."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

from perigee.testing.api import Api

PATH = "/api/v1/orders"
EXAMPLE = {
    "orders": [
        {
            "externalOrderId": "SO-1001",
            "externalCustomerId": "CRM-1001",
            "totalCost": 59.9,
            "status": "INITIALIZED",
            "date": "2025-05-04T10:11:10+03:00",
            "currency": "EUR",
            "email": "anna@example.com",
            "phone": "380501112233",
            "firstName": "Anna",
            "source": "online",
            "additionalInfo": {"coupon": "MAY"},
            "items": [
                {
                    "externalItemId": "SKU-1",
                    "name": "Mug",
                    "category": "Mugs",
                    "quantity": 2,
                    "cost": 29.95,
                    "url": "https://shop.example.com/mug",
                    "imageUrl": "https://shop.example.com/mug.png",
                }
            ],
        }
    ]
}
BAD = {
    "externalOrderId": "SO-1002",
    "totalCost": 10,
    "status": "INITIALIZED",
    "date": "bad",
    "currency": "EUR",
}


def order(number: int, **members: Any) -> dict[str, Any]:
    return EXAMPLE["orders"][0] | {"externalOrderId": f"SO-{number}"} | members


async def stored(api: Api) -> list[Any]:
    return [
        row[0]
        for row in await api.rows("select external_order_id from orders where org_id = %(org_id)s order by 1")
    ]


async def test_the_example_is_accepted_with_exactly_200_and_an_empty_body(api: Api) -> None:
    answer = await api.post(PATH, EXAMPLE)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert await api.rows("select status, total, currency from orders where org_id = %(org_id)s") == [
        ("INITIALIZED", Decimal("59.9"), "EUR")
    ]


async def test_refused_orders_come_back_and_do_not_hurt_the_others(api: Api) -> None:
    answer = await api.post(PATH, {"orders": [EXAMPLE["orders"][0], BAD | {"email": "anna@example.com"}]})
    assert answer.status_code == 200
    assert answer.json() == {
        "failedOrders": [
            {
                "order": BAD | {"email": "anna@example.com"},
                "error": "date: 'bad' is not a date with time like 2025-03-08T09:30:00+02:00",
            }
        ]
    }
    assert await stored(api) == ["SO-1001"]


async def test_1001_orders_are_400_that_names_the_limit_and_store_nothing(api: Api) -> None:
    answer = await api.post(PATH, {"orders": [order(number) for number in range(1001)]})
    assert answer.status_code == 400
    assert answer.json()["message"] == "orders: 1001 orders are more than 1000, the most for one call"
    assert await stored(api) == []


async def test_1000_orders_are_taken(api: Api) -> None:
    answer = await api.post(PATH, {"orders": [order(number) for number in range(1000)]})
    assert (answer.status_code, answer.content) == (200, b"")
    assert len(await stored(api)) == 1000


async def test_without_orders_it_is_400_and_an_empty_list_is_nothing_to_do(api: Api) -> None:
    answer = await api.post(PATH, {})
    assert (answer.status_code, answer.json()["message"]) == (400, "orders: is required")
    assert (await api.post(PATH, {"orders": []})).status_code == 200


async def test_a_single_order_may_stand_for_the_list(api: Api) -> None:
    assert (await api.post(PATH, {"orders": order(1)})).content == b""
    assert await stored(api) == ["SO-1"]


async def test_a_date_without_offset_is_in_the_organisations_zone(api: Api) -> None:
    await api.rows("update organisation set time_zone = 'Europe/Kyiv' where org_id = %(org_id)s")
    await api.post(PATH, {"orders": [order(1, date="2025-05-04T10:11")]})
    ((hour,),) = await api.rows("select extract(hour from ordered_at) from orders where org_id = %(org_id)s")
    assert hour == 7


async def test_control_characters_and_lone_surrogates_do_no_harm(api: Api) -> None:
    body = (
        b'{"orders": [{"externalOrderId": "S\\u0000O\\u001f1", "externalCustomerId": "C\\r\\n1", "totalCost": "1", '
        b'"status": "DELIVERED", "date": "2025-05-04T10:11Z", "note": "\\ud800\\u0000", '
        b'"items": [{"externalItemId": "\\u001eA", "quantity": 1, "name": "\\u001f"}]}]}'
    )
    answer = await api.post(PATH, content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.content) == (200, b"")
    ((external, details),) = await api.rows(
        "select external_order_id, details from orders where org_id = %(org_id)s"
    )
    assert external == "SO1"
    assert details == {"externalCustomerId": "C\r\n1", "note": "\ufffd"}


async def test_another_organisation_has_orders_of_its_own(api: Api) -> None:
    from perigee.testing.api import make_organisation

    _, key = await make_organisation(api.db, "Other Shop")
    await api.post(PATH, {"orders": [order(1, status="DELIVERED")]})
    await api.post(PATH, {"orders": [order(1, status="CANCELLED")]}, key=key)
    assert await api.rows("select status from orders where org_id = %(org_id)s") == [("DELIVERED",)]


async def test_the_same_call_many_times_at_once_is_stored_once(api: Api) -> None:
    answers = await asyncio.gather(
        *(api.post(PATH, {"orders": [order(n) for n in range(20)]}) for _ in range(8))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len(await stored(api)) == 20
    assert await api.rows("select orders, total from contact_orders where org_id = %(org_id)s") == [(20, 0)]
