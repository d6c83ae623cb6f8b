"""All calls of the client `ok-esputnik` against a live server: only its base URL is changed.

It sends JSON with its own spelling of optional members, a trailing slash on every address, a body on no DELETE, and
falls back to raw bytes where an answer is no JSON.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from esputnik.client import Response
from esputnik.esputnik import ESputnikAPIAdaptor

from perigee.testing.api import Api

CONTACT = {
    "first_name": "John",
    "last_name": "Dou",
    "channels": [{"type": "email", "value": "john@example.com"}],
    "groups": [{"name": "Test group"}],
    "address": {
        "region": "Test region",
        "town": "Test town",
        "address": "Test address",
        "postcode": "123456",
    },
}


class Shop:
    """The client, called off the event loop, and what it must have done."""

    def __init__(self, api: Api, host: str) -> None:
        self.api = api
        self.client = ESputnikAPIAdaptor(user="name@example.com", password=api.key, host=f"{host}/api/")

    async def call(self, name: str, *arguments: Any) -> Any:
        """The decoded answer of one call, which must be 200."""
        method: Callable[..., Response] = getattr(self.client, name)
        answer = await asyncio.to_thread(method, *arguments)
        assert answer.status_code == 200, (name, answer)
        return answer.data

    async def contact(self, **more: Any) -> int:
        return int((await self.call("add_contact", {**CONTACT, **more}))["id"])


@pytest.fixture
def shop(api: Api, host: str) -> Shop:
    return Shop(api, host)


async def test_account(shop: Shop) -> None:
    assert (await shop.call("version"))["protocolVersion"] == "1.0"
    assert (await shop.call("account_info"))["orgId"] == shop.api.org_id
    assert "addressBookId" in (await shop.call("addressbooks"))["addressBook"]
    assert (await shop.call("balance"))["currency"]


async def test_a_contact_lives_and_dies(shop: Shop) -> None:
    contact_id = await shop.contact()
    read = await shop.call("get_contact", str(contact_id))
    assert (read["firstName"], read["address"]["postcode"]) == ("John", "123456")
    assert [group["name"] for group in read["groups"]] == ["Test group"]
    changed = await shop.call("update_contact", str(contact_id), {**CONTACT, "first_name": "Johny"})
    assert changed == f"Contact with id='{contact_id}' has been updated".encode()
    found = await shop.call("get_contacts", {"email": "john@example.com", "start_index": 1, "max_rows": 10})
    assert [one["firstName"] for one in found] == ["Johny"]
    assert len(await shop.call("get_contacts")) == 1
    deleted = await shop.call("delete_contact", str(contact_id))
    assert deleted == f"Contact with id='{contact_id}' has been deleted".encode()
    gone = await asyncio.to_thread(shop.client.get_contact, str(contact_id))
    assert gone.status_code == 404


async def test_a_subscription_form(shop: Shop) -> None:
    answer = await shop.call(
        "contact_subscribe", {"contact": CONTACT, "groups": ["Subscribers"], "form_type": "footer"}
    )
    read = await shop.call("get_contact", str(answer["id"]))
    assert {group["name"] for group in read["groups"]} >= {"Subscribers"}


async def test_contacts_in_bulk(shop: Shop) -> None:
    answer = await shop.call(
        "add_contacts",
        {
            "contacts": [CONTACT],
            "dedupe_on": "email",
            "contact_fields": ["firstName", "email"],
            "group_names": ["Bulk"],
        },
    )
    assert answer["id"] == 0
    await shop.api.run_jobs()
    (group,) = [one for one in await shop.call("groups") if one["name"] == "Bulk"]
    assert [one["firstName"] for one in await shop.call("group_contacts", group["id"])] == ["John"]
    await shop.call("group_contacts_detach", group["id"])
    assert await shop.call("group_contacts", group["id"]) == []


async def test_contacts_from_a_file(shop: Shop) -> None:
    answer = await shop.call(
        "contacts_upload",
        {"dedupe_on": "email", "link": "https://files.example.com/contacts.csv", "group_names": ["File"]},
    )
    assert answer["valid"] is True
    assert answer["importId"] == answer["asyncSessionId"]


async def test_the_unsubscribed_list(shop: Shop) -> None:
    contact_id = await shop.contact()
    flags = "select unsubscribed_at is not null from address where org_id = %(org_id)s and kind = 'email'"
    assert await shop.call("emails_unsubscribed_add", "john@example.com") == b""
    assert await shop.api.rows(flags) == [(True,)]
    assert await shop.call("emails_unsubscribed_delete", ["john@example.com"]) == b""
    assert await shop.api.rows(flags) == [(False,)]
    assert contact_id


async def test_events_and_orders(shop: Shop) -> None:
    await shop.contact()
    event = {
        "event_type_key": "basket",
        "key_value": "john@example.com",
        "params": [{"name": "email", "value": "john@example.com"}, {"name": "total", "value": 10}],
    }
    assert await shop.call("event", event) == b""
    item = {
        "id": "SKU-1", "name": "Mug", "quantity": 2, "cost": 29.95, "url": "https://shop.example.com/mug",
        "image_url": "https://shop.example.com/mug.png", "category": "Mugs",
    }  # fmt: skip
    order = {
        "id": "SO-1", "user_id": "CRM-1", "total_cost": 59.9, "date": "2025-05-04T10:11:10+03:00",
        "email": "john@example.com", "phone": "", "items": [item],
    }  # fmt: skip
    assert await shop.call("orders", {"orders": [order]}) == b""
    assert await shop.api.rows(
        "select external_order_id, total::float from orders where org_id = %(org_id)s"
    ) == [("SO-1", 59.9)]


async def template(shop: Shop) -> str:
    made = await shop.api.post(
        "/api/v1/messages/email",
        {
            "name": "Hello",
            "from": '"Example" <news@example.com>',
            "subject": "Hello %TEMPLATE.name%",
            "htmlText": "<p>Dear %TEMPLATE.name%, $!data.get('city')</p>",
        },
    )
    return str(made.json()["id"])


async def test_sending_a_template(shop: Shop) -> None:
    await shop.contact()
    message_id = await template(shop)
    sent = await shop.call(
        "message_send",
        message_id,
        {"params": [{"key": "TEMPLATE.name", "value": "John"}], "recipients": ["john@example.com"]},
    )
    assert sent["results"]["status"] == "OK"
    smart = await shop.call(
        "message_smartsend",
        message_id,
        {
            "recipients": [
                {"locator": f"p{number}@example.com", "json_param": json.dumps({"city": "Kyiv"})}
                for number in (1, 2)
            ]
        },
    )
    ids = [one["requestId"] for one in smart["results"]]
    statuses = await shop.call("message_status", ids)
    assert {one["requestId"] for one in statuses["results"]} == set(ids)
    assert {one["status"] for one in statuses["results"]} == {"IN_QUEUE"}


async def test_sending_single_messages(shop: Shop) -> None:
    email = {
        "from": '"Example" <news@example.com>', "subject": "Receipt", "html_text": "<p>Thanks</p>",
        "plain_text": "Thanks", "emails": ["anna@example.com"],
    }  # fmt: skip
    viber = {
        "text": "Hello", "caption": "Open", "action": "https://shop.example.com/", "ios_expirity_text": "Late",
        "img": "https://shop.example.com/mug.png", "ttl_seconds": 3600, "phone_numbers": ["380501112233"],
    }  # fmt: skip
    sms = {"from": "EXAMPLE", "text": "Hello", "phone_numbers": ["380501112233"], "tags": ["hello"]}
    for name, body in (("message_email", email), ("message_sms", sms), ("message_viber", viber)):
        answer = await shop.call(name, body)
        assert answer["results"]["status"] == "OK", (name, answer)
        assert answer["results"]["requestId"]
