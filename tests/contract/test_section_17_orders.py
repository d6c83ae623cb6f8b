"""Contract section 17 on the wire: orders in bulk, deleting them, and orders through events."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from perigee.testing.api import Api
from perigee.testing.wire import data, empty, refused

ITEM: dict[str, Any] = {
    "externalItemId": "SKU-1",
    "name": "Mug",
    "category": "Mugs",
    "quantity": 2,
    "cost": 29.95,
    "url": "https://shop.example.com/mug",
    "imageUrl": "https://shop.example.com/mug.png",
}
ORDER: dict[str, Any] = {
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
    "items": [ITEM],
}
STATUSES = ("INITIALIZED", "IN_PROGRESS", "DELIVERED", "CANCELLED", "ABANDONED_SHOPPING_CART")


def order(**members: Any) -> dict[str, Any]:
    """The example; a member that is None is left out."""
    return {name: value for name, value in {**ORDER, **members}.items() if value is not None}


async def post(api: Api, *orders: Any) -> httpx.Response:
    return await api.post("/api/v1/orders", {"orders": orders})


async def taken(api: Api, *orders: Any) -> None:
    empty(await post(api, *orders))


async def failed(api: Api, *orders: Any) -> list[dict[str, Any]]:
    answer = data(await post(api, *orders))
    assert answer.keys() == {"failedOrders"}
    found: list[dict[str, Any]] = answer["failedOrders"]
    return found


async def stored(api: Api, column: str = "external_order_id") -> list[Any]:
    rows = await api.rows(f"select {column} from orders where org_id = %(org_id)s order by external_order_id")
    return [row[0] for row in rows]


async def contacts(api: Api) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = data(await api.get("/api/v1/contacts?sortBy=contactId"))
    return found


async def event_types(api: Api) -> list[tuple[str, str]]:
    return [
        (row[0], row[1])
        for row in await api.rows(
            "select event_type.key, event_key from event join event_type using (org_id, event_type_id)"
            " where org_id = %(org_id)s order by event_id"
        )
    ]


async def test_the_example_is_taken_whole_and_answered_with_nothing(api: Api) -> None:
    await taken(api, ORDER)
    rows = await api.rows(
        "select external_order_id, status, total, currency, ordered_at, source from orders where org_id = %(org_id)s"
    )
    moment = datetime(2025, 5, 4, 7, 11, 10, tzinfo=UTC)
    assert rows == [("SO-1001", "INITIALIZED", Decimal("59.9"), "EUR", moment, "online")]
    (details,) = await stored(api, "details")
    assert details["additionalInfo"] == {"coupon": "MAY"}
    assert await api.rows(
        "select external_item_id, name, category, quantity, cost from order_item where org_id = %(org_id)s"
    ) == [("SKU-1", "Mug", "Mugs", Decimal(2), Decimal("29.95"))]
    (anna,) = await contacts(api)
    assert (anna["externalCustomerId"], anna["firstName"]) == ("CRM-1001", "Anna")
    assert anna["channels"] == [
        {"type": "email", "value": "anna@example.com"},
        {"type": "sms", "value": "380501112233"},
    ]
    assert await event_types(api) == [("orderINITIALIZED", "SO-1001")]


async def test_refused_orders_come_back_as_they_came_with_a_reason(api: Api) -> None:
    bad = {
        "externalOrderId": "SO-1002",
        "totalCost": 10,
        "status": "INITIALIZED",
        "date": "bad",
        "currency": "EUR",
        "email": "anna@example.com",
    }
    (refusal,) = await failed(api, ORDER, bad)
    assert refusal.keys() == {"order", "error"}
    assert refusal["order"] == bad
    assert refusal["error"].startswith("date: ")
    assert await stored(api) == ["SO-1001"]


@pytest.mark.parametrize("member", ["externalOrderId", "totalCost", "status", "date"])
@pytest.mark.parametrize("value", [None, "", " "])
async def test_a_required_member_is_required(api: Api, member: str, value: Any) -> None:
    bad = order(**{member: value})
    (refusal,) = await failed(api, bad)
    assert (refusal["order"], refusal["error"]) == (bad, f"{member}: is required")
    assert await stored(api) == []


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("totalCost", "many"),
        ("date", "bad"),
        ("email", "no email"),
        ("phone", "12"),
        ("currency", "EURO"),
        ("items", [{**ITEM, "externalItemId": None}]),
        ("items", [{**ITEM, "quantity": None}]),
        ("items", [{**ITEM, "quantity": "two"}]),
    ],
)
async def test_a_malformed_member_is_named(api: Api, member: str, value: Any) -> None:
    (refusal,) = await failed(api, order(**{member: value}))
    assert member in refusal["error"]
    assert await stored(api) == []


async def test_an_order_is_somebodys_by_one_of_three(api: Api) -> None:
    nobody = order(externalCustomerId=None, email=None, phone=None)
    (refusal,) = await failed(api, nobody)
    assert refusal["error"] == "externalCustomerId, email, phone: one of them is required"
    for member in ("externalCustomerId", "email", "phone"):
        await taken(api, {**nobody, member: ORDER[member]})


async def test_the_external_id_is_matched_first_then_the_email_then_the_phone(api: Api) -> None:
    ids = []
    for external_id, channel, value in (
        ("CRM-1001", "email", "other@example.com"),
        ("CRM-2", "email", "anna@example.com"),
        ("CRM-3", "sms", "380501112233"),
    ):
        contact = {"externalCustomerId": external_id, "channels": [{"type": channel, "value": value}]}
        ids.append(data(await api.post("/api/v1/contact", contact))["id"])
    await taken(api, ORDER)
    assert await stored(api, "contact_id") == [ids[0]]
    await taken(api, order(externalCustomerId=None))
    assert await stored(api, "contact_id") == [ids[1]]
    await taken(api, order(externalCustomerId=None, email=None))
    assert await stored(api, "contact_id") == [ids[2]]


async def test_an_order_does_not_change_a_contact_that_is_there(api: Api) -> None:
    contact = {
        "externalCustomerId": "CRM-1001",
        "firstName": "Old",
        "channels": [{"type": "email", "value": "old@example.com"}],
    }
    data(await api.post("/api/v1/contact", contact))
    before = await contacts(api)
    await taken(api, ORDER)
    assert await contacts(api) == before


async def test_a_second_order_with_the_same_id_updates_it_and_is_one_more_event(api: Api) -> None:
    await taken(api, ORDER)
    await taken(api, order(status="DELIVERED", totalCost=70))
    assert await stored(api, "total") == [Decimal(70)]
    assert await stored(api, "status") == ["DELIVERED"]
    assert await event_types(api) == [("orderINITIALIZED", "SO-1001"), ("orderDELIVERED", "SO-1001")]


@pytest.mark.parametrize("status", [*STATUSES, "READY_FOR_PICKUP"])
async def test_every_status_and_any_other_word_is_taken_and_becomes_an_event(api: Api, status: str) -> None:
    await taken(api, order(status=status))
    assert await stored(api, "status") == [status]
    assert await event_types(api) == [(f"order{status}", "SO-1001")]


async def test_the_currency_is_the_organisations_where_none_is_given(api: Api) -> None:
    await api.rows("update organisation set currency = 'UAH' where org_id = %(org_id)s")
    await taken(api, order(currency=None), order(externalOrderId="SO-2", currency=""))
    assert await stored(api, "currency") == ["UAH", "UAH"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [("online", "online"), ("offline", "offline"), ("market", "online"), (None, None), ("", None)],
)
async def test_a_source_is_offline_or_online(api: Api, given: str | None, kept: str | None) -> None:
    await taken(api, order(source=given))
    assert (await stored(api, "coalesce(source, 'online')")) == [kept or "online"]


async def test_ints_numeric_strings_and_empty_strings_are_read(api: Api) -> None:
    seen = order(
        externalOrderId=1001,
        externalCustomerId=77,
        totalCost="59.90",
        date="2025-05-04T10:11:10.702217+03:00",
        email="",
        phone="",
        shipping="",
        discount="5",
        items=[{**ITEM, "quantity": "2", "cost": "", "externalItemId": 5}],
    )
    await taken(api, seen)
    assert await stored(api) == ["1001"]
    assert await stored(api, "total") == [Decimal("59.9")]
    assert (await contacts(api))[0]["externalCustomerId"] == "77"


async def test_optional_and_unknown_members_are_kept(api: Api) -> None:
    more = {
        "shipping": 1.5,
        "discount": 2,
        "taxes": 3,
        "restoreUrl": "https://shop.example.com/cart",
        "statusDescription": "on its way",
        "storeId": "7",
        "deliveryMethod": "courier",
        "paymentMethod": "card",
        "deliveryAddress": "1 Sample St",
        "trackingNumber": "T-9",
    }
    await taken(api, order(**more))
    (details,) = await stored(api, "details")
    assert {name: details[name] for name in more} == more


async def test_1000_orders_are_the_most(api: Api) -> None:
    def many(count: int) -> list[dict[str, Any]]:
        return [order(externalOrderId=f"SO-{n}", items=None) for n in range(count)]

    refused(await post(api, *many(1001)), 400, "1000")
    assert await stored(api) == []
    for count in (999, 1000):
        await taken(api, *many(count))
        assert len(await stored(api)) == count


async def test_what_is_no_list_of_orders_is_refused(api: Api) -> None:
    refused(await api.post("/api/v1/orders", {}), 400, "orders")
    refused(await api.post("/api/v1/orders", content=b"{", headers={"content-type": "application/json"}), 400)


# 17.2

DAY = [f"2025-05-04T{time}Z" for time in ("09:59:59", "10:00:00", "12:00:00", "14:00:00", "14:00:01")]


@pytest.fixture
async def day(api: Api) -> Api:
    await taken(api, *(order(externalOrderId=f"SO-{n}", date=moment) for n, moment in enumerate(DAY)))
    return api


async def test_one_order_is_deleted_in_the_background(day: Api) -> None:
    empty(await day.delete("/api/v1/orders?externalOrderId=SO-1"))
    await day.run_jobs()
    assert await stored(day) == ["SO-0", "SO-2", "SO-3", "SO-4"]


async def test_a_period_in_utc_is_deleted_with_both_its_ends(day: Api) -> None:
    await day.rows("update organisation set time_zone = 'Europe/Kyiv' where org_id = %(org_id)s")
    empty(await day.delete("/api/v1/orders?from=2025-05-04T10:00:00&to=2025-05-04T14:00:00"))
    await day.run_jobs()
    assert await stored(day) == ["SO-0", "SO-4"]


async def test_24_hours_are_the_longest_period(day: Api) -> None:
    refused(
        await day.delete("/api/v1/orders?from=2025-05-04T00:00:00&to=2025-05-05T00:00:01"), 400, "24 hours"
    )
    await day.run_jobs()
    assert len(await stored(day)) == 5
    for last in ("2025-05-04T23:59:59", "2025-05-05T00:00:00"):
        empty(await day.delete(f"/api/v1/orders?from=2025-05-04T00:00:00&to={last}"))


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?from=2025-05-04T10:00:00",
        "?to=2025-05-04T10:00:00",
        "?from=2025-05-04&to=2025-05-05",
        "?from=bad&to=2025-05-04T10:00:00",
        "?from=2025-05-04T10:00:00&to=2025-05-04T10:00:00",
        "?from=2025-05-04T10:00:01&to=2025-05-04T10:00:00",
    ],
)
async def test_a_deletion_without_a_good_period_is_refused(day: Api, query: str) -> None:
    refused(await day.delete(f"/api/v1/orders{query}"), 400)
    await day.run_jobs()
    assert len(await stored(day)) == 5


# 17.3


async def send(api: Api, kind: str, params: Any, version: int = 3) -> None:
    empty(await api.post(f"/api/v{version}/event", {"eventTypeKey": kind, "params": params}))


PARAMS = {
    name: value for name, value in ORDER.items() if name not in ("externalCustomerId", "phone", "firstName")
}


@pytest.fixture
async def anna(api: Api) -> int:
    contact = {"channels": [{"type": "email", "value": "anna@example.com"}]}
    return int(data(await api.post("/api/v1/contact", contact))["id"])


@pytest.mark.parametrize("kind", ["orderCreated", "orderUpdated"])
async def test_created_and_updated_make_an_order(api: Api, anna: int, kind: str) -> None:
    await send(api, kind, PARAMS)
    assert await stored(api, "contact_id") == [anna]
    assert await stored(api, "status") == ["INITIALIZED"]


async def test_updated_changes_an_order_by_its_id(api: Api, anna: int) -> None:
    await send(api, "orderCreated", PARAMS)
    await send(api, "orderUpdated", {**PARAMS, "totalCost": 70, "status": "IN_PROGRESS"})
    assert await stored(api, "total") == [Decimal(70)]
    assert await stored(api, "status") == ["IN_PROGRESS"]


@pytest.mark.parametrize(
    ("kind", "status"), [("orderDelivered", "DELIVERED"), ("orderCancelled", "CANCELLED")]
)
async def test_delivered_and_cancelled_set_the_status_of_an_order_that_is_there(
    api: Api, anna: int, kind: str, status: str
) -> None:
    await send(api, kind, {"externalOrderId": "SO-1001", "email": "anna@example.com"})
    assert await stored(api) == []
    await send(api, "orderCreated", PARAMS)
    await send(api, kind, {"externalOrderId": "SO-1001", "email": "anna@example.com"})
    assert await stored(api, "status") == [status]


@pytest.mark.parametrize("member", ["externalOrderId", "totalCost", "status", "date"])
async def test_without_a_required_parameter_the_event_makes_no_order(
    api: Api, anna: int, member: str
) -> None:
    await send(api, "orderCreated", {name: value for name, value in PARAMS.items() if name != member})
    assert await stored(api) == []


async def test_the_contact_of_an_order_event_must_be_there(api: Api) -> None:
    await send(api, "orderCreated", PARAMS)
    assert await stored(api) == []


@pytest.mark.parametrize("version", [1, 2, 3])
async def test_items_of_an_order_event_are_json_or_its_text(api: Api, anna: int, version: int) -> None:
    text = '[{"externalItemId": "SKU-1", "name": "Mug", "quantity": 2, "cost": 29.95}]'
    params = [{"name": name, "value": value} for name, value in {**PARAMS, "items": text}.items()]
    await send(api, "orderCreated", PARAMS if version == 3 else params, version)
    assert await api.rows("select external_item_id, quantity from order_item where org_id = %(org_id)s") == [
        ("SKU-1", Decimal(2))
    ]
