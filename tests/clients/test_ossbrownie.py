"""The PHP library of ossbrownie: login and password, `[]` as body of every GET, anything but 200 is an error.

It compares sentences, the id of a bulk call and the empty answer of orders to the letter, and builds objects from
members it does not look for first.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from perigee.accounts.bootstrap import create_organisation
from perigee.keys import Keys
from perigee.settings import Settings
from perigee.testing.api import SECRET, SETTINGS, Api
from perigee.testing.line import Line, Reply, basic

CONTACT = {
    "id": None, "firstName": "Anna", "lastName": "Koval", "contactKey": "k-1",
    "channels": [{"type": "email", "value": "anna@example.com"}],
    "address": {"region": "North", "town": "Exampleton", "address": "1 Sample St", "postcode": "10001"},
    "fields": [], "groups": [], "ordersInfo": {"lastDate": "2019-05-04T10:11:12", "count": 7},
}  # fmt: skip


@pytest.fixture
def settings() -> Settings:
    return dataclasses.replace(SETTINGS, login_credentials="on")


class Client:
    def __init__(self, host: str, user: str, password: str) -> None:
        self._line = Line(
            host, Authorization=basic(user, password), Content_Type="application/json; charset=utf-8"
        )

    async def call(self, method: str, path: str, body: Any = None) -> Reply:
        content = [] if body is None else body
        reply = await self._line.call(method, f"/api/v1/{path}", json.dumps(content).encode())
        assert reply.status == 200, reply.text
        return reply


@pytest.fixture
async def client(api: Api, host: str) -> Client:
    pair = ("anna@second.example.com", "correct horse")
    async with api.db.transaction() as connection:
        await create_organisation(connection, Keys.of(SECRET), name="Second", owner=pair[0], password=pair[1])
    return Client(host, *pair)


async def test_version_account_and_balance_are_read_with_a_body_on_get(client: Client) -> None:
    assert (await client.call("GET", "version")).json()["protocolVersion"] == "1.0"
    assert (await client.call("GET", "account/info")).json()["userEmail"] == "anna@second.example.com"
    assert (await client.call("GET", "balance")).json()["currency"]


async def test_the_address_book_is_an_object_whose_groups_are_iterated(client: Client) -> None:
    book = (await client.call("GET", "addressbooks")).json()["addressBook"]
    assert {"addressBookId", "name", "fieldGroups"} <= book.keys()
    assert len(book["fieldGroups"]) >= 2
    for group in book["fieldGroups"]:
        assert {"name", "profileKey", "fields"} <= group.keys()
        for field in group["fields"] if isinstance(group["fields"], list) else [group["fields"]]:
            assert {"id", "name", "fieldKey", "description"} <= field.keys()
            assert {"type", "required", "readonly"} <= field["description"].keys()
            assert field["description"]["type"] == field["description"]["type"].lower()


async def test_a_contact_is_added_read_changed_and_deleted_in_the_words_compared(client: Client) -> None:
    contact_id = (await client.call("POST", "contact", CONTACT)).json()["id"]
    read = (await client.call("GET", f"contact/{contact_id}")).json()
    assert read["address"] == CONTACT["address"]
    assert read["ordersInfo"] == CONTACT["ordersInfo"]
    assert [channel["value"] for channel in read["channels"]] == ["anna@example.com"]
    updated = await client.call(
        "PUT", f"contact/{contact_id}", {**CONTACT, "id": contact_id, "lastName": "K"}
    )
    assert updated.text == f"Contact with id='{contact_id}' has been updated"
    deleted = await client.call("DELETE", f"contact/{contact_id}")
    assert deleted.text == f"Contact with id='{contact_id}' has been deleted"


async def test_contacts_in_bulk_have_the_id_0(client: Client) -> None:
    body = {"contacts": [CONTACT], "dedupeOn": "email", "fieldId": None, "contactFields": ["firstName"],
            "customFieldsIDs": [], "groupNames": ["News"], "restoreDeleted": False,
            "eventKeyForNewContacts": None}  # fmt: skip
    assert (await client.call("POST", "contacts", body)).json()["id"] == 0


async def test_events_without_params_and_orders_are_answered_by_the_empty_text(client: Client) -> None:
    event = {"eventTypeKey": "basket", "keyValue": "anna@example.com", "params": None}
    assert (await client.call("POST", "event", event)).text == ""
    order = {"externalOrderId": "SO-1", "externalCustomerId": "1", "totalCost": 10, "status": "DELIVERED",
             "date": "2019-05-04T10:11:12", "currency": "UAH", "items": []}  # fmt: skip
    assert (await client.call("POST", "orders", {"orders": [order]})).text == ""
