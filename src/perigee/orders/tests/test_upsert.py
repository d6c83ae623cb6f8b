"""Orders are stored set-wise with contacts, items, facts and events (contract 17.1, TRACKING 7)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

from perigee.orders.tests.conftest import Shop, wire_order


async def test_an_order_and_its_items_are_stored_as_they_came(shop: Shop) -> None:
    await shop.store(
        wire_order(
            totalCost="59.90",
            shipping=5,
            trackingNumber="TN 7",
            items=[
                {
                    "externalItemId": "SKU-1",
                    "name": "Mug",
                    "quantity": 2,
                    "cost": 29.95,
                    "url": "https://shop.example.com/mug",
                }
            ],
        )
    )
    order = await shop.order("SO-1")
    assert (order["total"], order["currency"], order["status"], order["source"]) == (
        Decimal("59.9"),
        "USD",
        "DELIVERED",
        "online",
    )
    assert order["ordered_at"] == datetime(2025, 5, 4, 10, 11, 10, tzinfo=UTC)
    assert order["details"] == {"externalCustomerId": "CRM-1", "shipping": 5, "trackingNumber": "TN 7"}
    (item,) = await shop.items("SO-1")
    assert (item["external_item_id"], item["name"], item["quantity"], item["cost"]) == (
        "SKU-1",
        "Mug",
        2,
        Decimal("29.95"),
    )
    assert item["details"] == {"url": "https://shop.example.com/mug"}


async def test_the_same_external_id_updates(shop: Shop) -> None:
    first = await shop.store(wire_order(status="INITIALIZED"))
    second = await shop.store(wire_order(status="DELIVERED", totalCost=10))
    assert first == second
    order = await shop.order("SO-1")
    assert (order["status"], order["total"]) == ("DELIVERED", 10)


async def test_an_update_keeps_what_it_does_not_name(shop: Shop) -> None:
    item = {"externalItemId": "SKU-1", "quantity": 1}
    await shop.store(wire_order(source="offline", currency="EUR", storeId="7", items=[item]))
    await shop.store(wire_order(currency=None, deliveryMethod="post"))
    order = await shop.order("SO-1")
    assert (order["source"], order["currency"]) == ("offline", "EUR")
    assert order["details"]["storeId"] == "7"
    assert order["details"]["deliveryMethod"] == "post"
    assert len(await shop.items("SO-1")) == 1


async def test_an_update_replaces_the_items_it_names(shop: Shop) -> None:
    await shop.store(
        wire_order(items=[{"externalItemId": "A", "quantity": 1}, {"externalItemId": "B", "quantity": 1}])
    )
    await shop.store(wire_order(items={"externalItemId": "C", "quantity": 3}))
    assert [(item["external_item_id"], item["quantity"]) for item in await shop.items("SO-1")] == [("C", 3)]


async def test_of_equal_orders_in_one_call_the_last_wins(shop: Shop) -> None:
    ids = await shop.store(
        wire_order("SO-2", status="INITIALIZED", storeId="7"),
        wire_order("SO-1"),
        wire_order("SO-2", status="DELIVERED"),
    )
    assert ids[0] == ids[2] != ids[1]
    order = await shop.order("SO-2")
    assert order["status"] == "DELIVERED"
    assert order["details"]["storeId"] == "7"
    assert [event["key"] for event in await shop.events()] == [
        "orderINITIALIZED",
        "orderDELIVERED",
        "orderDELIVERED",
    ]


async def test_without_a_currency_it_is_the_organisations(shop: Shop) -> None:
    await shop.store(wire_order(currency=None))
    assert (await shop.order("SO-1"))["currency"] == "USD"


# Contacts


async def test_an_unknown_customer_becomes_a_contact(shop: Shop) -> None:
    await shop.store(
        wire_order(email="Anna@Example.com", phone="+380 50 111 22 33", firstName="Anna", lastName="Koval")
    )
    (contact,) = await shop.contacts()
    assert (contact["external_id"], contact["email"], contact["phone"]) == (
        "CRM-1",
        "anna@example.com",
        "380501112233",
    )
    assert (contact["first_name"], contact["last_name"], contact["source"]) == ("Anna", "Koval", "order")
    assert (await shop.order("SO-1"))["contact_id"] == contact["contact_id"]


async def test_a_known_external_id_wins_over_another_email(shop: Shop) -> None:
    await shop.store(wire_order("SO-1", email="anna@example.com"))
    await shop.store(wire_order("SO-2", externalCustomerId="CRM-2", email="bo@example.com"))
    await shop.store(wire_order("SO-3", externalCustomerId="CRM-1", email="bo@example.com"))
    assert (await shop.order("SO-3"))["contact_id"] == (await shop.order("SO-1"))["contact_id"]
    assert len(await shop.contacts()) == 2


async def test_else_the_email_and_else_the_phone(shop: Shop) -> None:
    await shop.store(
        wire_order("SO-1", externalCustomerId=None, email="anna@example.com"),
        wire_order("SO-2", externalCustomerId=None, phone="380501112233"),
    )
    await shop.store(
        wire_order("SO-3", externalCustomerId="NEW", email="anna@example.com", phone="380501112233"),
        wire_order("SO-4", externalCustomerId=None, email="new@example.com", phone="380501112233"),
    )
    assert (await shop.order("SO-3"))["contact_id"] == (await shop.order("SO-1"))["contact_id"]
    assert (await shop.order("SO-4"))["contact_id"] == (await shop.order("SO-2"))["contact_id"]


async def test_an_existing_contact_is_not_changed(shop: Shop) -> None:
    await shop.store(wire_order("SO-1", externalCustomerId=None, email="anna@example.com", firstName="Anna"))
    before = await shop.contacts()
    await shop.store(wire_order("SO-2", email="anna@example.com", phone="380501112233", firstName="Bo"))
    assert await shop.contacts() == before


async def test_a_new_person_of_several_orders_becomes_one_contact(shop: Shop) -> None:
    await shop.store(
        wire_order("SO-1", externalCustomerId=None, email="anna@example.com"),
        wire_order("SO-2", externalCustomerId=None, email="anna@example.com", phone="380501112233"),
        wire_order("SO-3", externalCustomerId=None, email="ANNA@example.com"),
    )
    assert len(await shop.contacts()) == 1


async def test_calls_at_the_same_time_make_one_contact_and_right_facts(shop: Shop) -> None:
    await asyncio.gather(
        *(shop.store(wire_order(f"SO-{n}", email="anna@example.com", totalCost=1)) for n in range(12))
    )
    assert len(await shop.contacts()) == 1
    facts = await shop.facts("CRM-1")
    assert (facts["orders"], facts["total"]) == (12, 12)


# Facts


async def test_facts_count_orders_but_no_cancelled_ones_and_carts(shop: Shop) -> None:
    await shop.store(
        wire_order("SO-1", status="INITIALIZED", totalCost=1, date="2025-01-01T00:00Z"),
        wire_order("SO-2", status="DELIVERED", totalCost=2, date="2025-01-02T00:00Z"),
        wire_order("SO-3", status="READY_FOR_PICKUP", totalCost=4, date="2025-01-03T00:00Z"),
        wire_order("SO-4", status="CANCELLED", totalCost=8, date="2025-01-04T00:00Z"),
        wire_order("SO-5", status="ABANDONED_SHOPPING_CART", totalCost=16, date="2025-01-05T00:00Z"),
    )
    facts = await shop.facts("CRM-1")
    assert (facts["orders"], facts["total"]) == (3, 7)
    assert (facts["first_at"].day, facts["last_at"].day) == (1, 3)
    assert (facts["delivered"], facts["delivered_total"]) == (1, 2)
    assert facts["delivered_first"] == facts["delivered_last"] == datetime(2025, 1, 2, tzinfo=UTC)


async def test_money_of_another_currency_is_not_added(shop: Shop) -> None:
    await shop.store(wire_order("SO-1", totalCost=5), wire_order("SO-2", totalCost=7, currency="EUR"))
    facts = await shop.facts("CRM-1")
    assert (facts["orders"], facts["total"], facts["delivered_total"]) == (2, 5, 5)


async def test_an_order_that_moves_is_counted_at_its_new_contact_only(shop: Shop) -> None:
    await shop.store(wire_order(externalCustomerId="CRM-1"), wire_order("SO-2", externalCustomerId="CRM-2"))
    await shop.store(wire_order(externalCustomerId="CRM-2"))
    assert (await shop.facts("CRM-1"))["orders"] == 0
    assert (await shop.facts("CRM-2"))["orders"] == 2


async def test_amounts_are_exact(shop: Shop) -> None:
    await shop.store(*(wire_order(f"SO-{n}", totalCost=0.1) for n in range(30)))
    assert (await shop.facts("CRM-1"))["total"] == Decimal("3.0")


# Events


async def test_every_order_makes_one_event_of_its_status(shop: Shop) -> None:
    (order_id,) = await shop.store(wire_order(email="anna@example.com", status="INITIALIZED"))
    (event,) = await shop.events()
    (contact,) = await shop.contacts()
    assert (event["key"], event["event_key"], event["source"]) == ("orderINITIALIZED", "SO-1", "order")
    assert event["contact_id"] == contact["contact_id"]
    assert event["params"] == {
        "eventKey": "SO-1",
        "orderId": order_id,
        "contactId": contact["contact_id"],
        "externalCustomerId": "CRM-1",
        "email": "anna@example.com",
    }


async def test_a_word_that_is_no_known_status_becomes_an_event_name(shop: Shop) -> None:
    await shop.store(wire_order(status="READY_FOR_PICKUP"))
    assert [event["key"] for event in await shop.events()] == ["orderREADY_FOR_PICKUP"]
