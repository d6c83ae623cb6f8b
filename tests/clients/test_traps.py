"""The list of literal strings and other traps (contract 25), in its order, on the very line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from perigee.testing.api import Api
from perigee.testing.line import Line, Reply, basic
from perigee.testing.sending import Shop

ANNA = {"channels": [{"type": "email", "value": "anna@example.com"}], "externalCustomerId": "CRM-1001"}
ORDER = {
    "externalOrderId": "SO-1", "externalCustomerId": "CRM-1001", "totalCost": "59.90", "status": "INITIALIZED",
    "date": "2025-05-04T10:11:10+03:00", "currency": "EUR",
}  # fmt: skip
PUSH = {
    "domain": "https://shop.example.com", "serviceWorkerName": "sw.js", "serviceWorkerPath": "/",
    "serviceWorkerScope": "/",
}  # fmt: skip


class Wire:
    def __init__(self, host: str, key: str) -> None:
        self.line = Line(host, Authorization=basic("", key), Content_Type="application/json")

    async def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        content = None if body is None else json.dumps(body).encode()
        return await self.line.call(method, f"/api/{path}", content, headers)

    async def add(self, **more: Any) -> int:
        return int((await self("POST", "v1/contact", {**ANNA, **more})).json()["id"])


@pytest.fixture
def wire(api: Api, host: str) -> Wire:
    return Wire(host, api.key)


async def test_1_updated_and_deleted_to_the_letter(wire: Wire) -> None:
    contact_id = await wire.add()
    updated = await wire("PUT", f"v1/contact/{contact_id}", {**ANNA, "firstName": "Anna"})
    assert updated.body == f"Contact with id='{contact_id}' has been updated".encode()
    deleted = await wire("DELETE", f"v1/contact/{contact_id}")
    assert deleted.body == f"Contact with id='{contact_id}' has been deleted".encode()


async def test_2_the_id_of_a_bulk_call_is_0_and_there(wire: Wire) -> None:
    answer = (await wire("POST", "v1/contacts", {"contacts": [ANNA], "dedupeOn": "email"})).json()
    assert answer["id"] == 0
    assert type(answer["id"]) is int
    assert "errorMessage" not in answer


async def test_3_total_count_is_spelt_so_wherever_it_is_sent(wire: Wire) -> None:
    await wire.add(groups=[{"name": "News"}])
    (group,) = (await wire("GET", "v1/groups?name=News")).json()
    channels = ("email", "sms", "viber", "mobilepush", "appinbox", "telegram")
    for path in (
        "contacts",
        "groups",
        f"group/{group['id']}/contacts",
        *(f"messages/{name}" for name in channels),
    ):
        reply = await wire("GET", f"v1/{path}")
        assert reply.headers["TotalCount"] == str(len(reply.json())), path


async def test_4_success_is_exactly_200_but_for_a_first_domain(wire: Wire) -> None:
    contact_id = await wire.add(groups=[{"name": "News"}])
    (group,) = (await wire("GET", "v1/groups?name=News")).json()
    app_inbox = {"name": "Bonus", "title": "A gift", "text": "You have 50 points"}
    for method, path, body in (
        ("POST", "v1/contacts", {"contacts": [ANNA], "dedupeOn": "email"}),
        ("POST", "v1/event", {"eventTypeKey": "basket", "keyValue": "1"}),
        ("POST", "v1/orders", {"orders": [ORDER]}),
        ("POST", "v1/messages/appinbox", app_inbox),
        ("POST", "v1/auth/token", None),
        ("POST", "v1/emails/unsubscribed/add", {"emails": ["bo@example.com"]}),
        ("POST", f"v1/group/{group['id']}/contacts/detach", {"contactIds": [contact_id]}),
        ("POST", "v1/site/webpush/domains", {"domains": [PUSH]}),
        ("PUT", f"v1/contact/{contact_id}/subscriptions", {"subscriptions": []}),
        ("DELETE", "v1/orders?externalOrderId=SO-1", None),
        ("DELETE", f"v1/contact/{contact_id}", None),
    ):
        assert (await wire(method, path, body)).status == 200, path
    assert [(await wire("POST", "v1/site/domains", {"domain": "a.example.com"})).status for _ in "12"] == [
        201,
        200,
    ]


async def test_5_events_and_orders_are_answered_without_a_body_and_labelled_json(wire: Wire) -> None:
    for path, body in (
        ("v1/event", {"eventTypeKey": "basket", "keyValue": "1"}),
        ("v2/event", {"eventTypeKey": "basket", "keyValue": "1"}),
        ("v3/event", {"eventTypeKey": "basket", "keyValue": "1"}),
        ("v1/orders", {"orders": [ORDER]}),
    ):
        reply = await wire("POST", path, body)
        assert (reply.status, reply.body, reply.any_case("content-length")) == (200, b"", "0")
        assert reply.any_case("content-type") == "application/json;charset=UTF-8"


async def test_6_status_401_stands_in_the_body(host: str) -> None:
    reply = await Line(host).call("GET", "/api/v1/account/info")
    assert (reply.status, reply.json()["status"]) == (401, 401)


async def test_7_words_that_are_looked_for_in_the_message(wire: Wire) -> None:
    contact = {"channels": [{"type": "email", "value": "twice@example.com"}]}
    assert (await wire("POST", "v1/contact", contact)).status == 200
    again = await wire("POST", "v1/contact", contact)
    assert (again.status, "Duplicated request" in again.json()["message"]) == (409, True)
    absent = await wire("DELETE", "v1/contact?externalCustomerId=nobody")
    assert (absent.status, "not found" in absent.json()["message"]) == (404, True)
    await wire("POST", "v1/site/webpush/domain", PUSH)
    other = await wire("POST", "v1/site/webpush/domain", {**PUSH, "serviceWorkerName": "other.js"})
    assert "Domain is already registered" in other.text


async def test_8_a_domain_that_is_there_is_a_success_not_an_error_in_words(wire: Wire) -> None:
    """`Domain already exists` with 400 was the older server; contract 24 decides for 200."""
    first = await wire("POST", "v1/site/domains", {"domain": "shop.example.com"})
    again = await wire("POST", "v1/site/domains", {"domain": "shop.example.com"})
    assert (again.status, again.json()) == (200, first.json())


async def test_9_the_script_holds_the_call_that_is_replaced(wire: Wire) -> None:
    await wire("POST", "v1/site/domains", {"domain": "shop.example.com"})
    assert (await wire("GET", "v1/site/script")).text.count("eS('init')") == 1


async def test_10_org_id_is_a_number(api: Api, wire: Wire) -> None:
    info = (await wire("GET", "v1/account/info")).json()
    assert info["orgId"] == api.org_id
    assert type(info["orgId"]) is int


@pytest.mark.parametrize("user", ["", "user", "api", "api-user", "any", "Example Shop", "owner@example.com"])
async def test_11_slashes_bodies_on_get_and_user_names_change_nothing(api: Api, host: str, user: str) -> None:
    line = Line(host, Authorization=basic(user, api.key), Content_Type="application/json; charset=utf-8")
    for path in ("/api/v1/contacts", "/api/v1/contacts/", "//api/v1/contacts/?startindex=1"):
        reply = await line.call("GET", path, b"[]")
        assert (reply.status, reply.body) == (200, b"[]"), path
    for number, path in enumerate(("/api/v1/contact", "/api/v1/contact/", "//api/v1/contact")):
        body = json.dumps({"channels": [{"type": "email", "value": f"a{number}@example.com"}]}).encode()
        assert (await line.call("POST", path, body)).json()["id"] > 0, path


async def test_12_one_element_is_still_an_array_where_clients_iterate(wire: Wire) -> None:
    field = (await wire("GET", "v1/additionalfields")).json()[0]
    contact_id = await wire.add(groups=[{"name": "News"}], fields=[{"id": field["id"], "value": "1"}])
    read = (await wire("GET", f"v1/contact/{contact_id}")).json()
    assert {name: type(read[name]) for name in ("channels", "groups")} == {"channels": list, "groups": list}
    assert isinstance(read.get("fields", []), list)
    for path in ("contacts", "groups?name=News", "subscriptions", f"contact/{contact_id}/subscriptions"):
        assert isinstance((await wire("GET", f"v1/{path}")).json(), list), path


async def test_13_an_address_has_all_four_members(wire: Wire) -> None:
    contact_id = await wire.add(address={"town": "Exampleton"})
    read = (await wire("GET", f"v1/contact/{contact_id}")).json()
    assert read["address"] == {"region": "", "town": "Exampleton", "address": "", "postcode": ""}


async def test_14_numeric_texts_spaces_empty_texts_and_integer_ids(wire: Wire) -> None:
    contact_id = await wire.add(
        id="12345", externalCustomerId=77, firstName=" ", lastName="", addressBookId="1"
    )
    read = (await wire("GET", f"v1/contact/{contact_id}")).json()
    assert (read["id"], read["externalCustomerId"]) == (contact_id, "77")
    assert not {"firstName", "lastName"} & read.keys()
    order = {**ORDER, "discount": "", "taxes": "0", "phone": "", "items": []}
    assert (await wire("POST", "v1/orders", {"orders": [order]})).body == b""


@pytest.mark.parametrize("erase", ["1", "true"])
async def test_15_erase_may_be_a_one(api: Api, wire: Wire, erase: str) -> None:
    contact_id = await wire.add()
    assert (await wire("DELETE", f"v1/contact/{contact_id}?erase={erase}")).status == 200
    assert await api.rows("select 1 from contact where org_id = %(org_id)s") == []


async def test_16_members_are_spelt_as_the_contract_has_them(api: Api, wire: Wire) -> None:
    viber = {
        "from": "EXAMPLE", "text": "Sale", "iosExpirityText": "Late", "phoneNumbers": ["380501112233"],
    }  # fmt: skip
    assert (await wire("POST", "v1/message/viber", viber)).json()["results"]["status"] == "OK"
    del viber["iosExpirityText"]
    refused = await wire("POST", "v1/message/viber", viber)
    assert (refused.status, "iosExpirityText" in refused.json()["message"]) == (400, True)

    email = {
        "from": '"Shop" <news@example.com>', "subject": "Hi", "htmlText": "<p>%FIRSTNAME|x%</p>",
        "emails": ["anna@example.com"],
    }  # fmt: skip
    unknown = await wire("POST", "v1/message/email", {**email, "subscriptionsKeys": ["no-such"]})
    assert (unknown.status, "subscriptionsKeys" in unknown.json()["message"]) == (400, True)
    assert (await wire("POST", "v1/message/email", {**email, "skipPersonalisation": True})).status == 200

    one, two = (field["id"] for field in (await wire("GET", "v1/additionalfields")).json()[:2])
    bulk = {
        "dedupeOn": "email", "customFieldsIDs": [one],
        "contacts": [{**ANNA, "fields": [{"id": one, "value": "2000-01-02"}, {"id": two, "value": "1"}]}],
    }  # fmt: skip
    await wire.add()
    assert (await wire("POST", "v1/contacts", bulk)).status == 200
    await api.run_jobs()
    (read,) = (await wire("GET", "v1/contacts?externalCustomerId=CRM-1001")).json()
    assert two not in {field["id"] for field in read.get("fields", [])}, "only the listed ones change"


async def test_17_rows_count_from_one(wire: Wire) -> None:
    ids = [
        await wire.add(channels=[{"type": "email", "value": f"{name}@example.com"}], externalCustomerId=name)
        for name in "abc"
    ]
    pages = [
        (await wire("GET", f"v1/contacts?sortBy=contactId&startindex={n}&maxrows=1")).json() for n in (1, 3)
    ]
    assert [row["id"] for page in pages for row in page] == [ids[0], ids[2]]
    for path in ("v1/contacts", "v1/groups", "v1/messages/email", "v1/broadcasts", "v1/workflows"):
        assert (await wire("GET", f"{path}?startindex=0")).status == 400, path


async def test_18_defaults_differ(api: Api, wire: Wire) -> None:
    text = {"text": "Look: https://shop.example.com/a", "from": "EXAMPLE", "phoneNumbers": ["380501112233"]}
    email = {
        "from": '"Shop" <news@example.com>',
        "subject": "Hi",
        "emails": ["anna@example.com"],
        "htmlText": "<a href='https://shop.example.com/a'>Look</a>",
    }
    for channel, body in (("email", email), ("viber", {**text, "iosExpirityText": "Late"}), ("sms", text)):
        answer = await wire("POST", f"v1/message/{channel}", body)
        assert answer.json()["results"]["status"] == "OK", answer.text
    await Shop(api.db, api.org_id).run_sender()
    bodies = await api.rows("select channel, body from sandbox_message where org_id = %(org_id)s")
    untracked = {channel: b"https://shop.example.com/a" in body for channel, body in bodies}
    assert untracked == {"email": False, "viber": False, "sms": True}

    await wire.add(groups=[{"name": "News"}])
    (group,) = (await wire("GET", "v1/groups?name=News")).json()
    message = {"name": "Hello", "from": "EXAMPLE", "text": "Hi"}
    message_id = (await wire("POST", "v1/messages/sms", message)).json()["id"]
    for number in range(11):
        broadcast = {
            "title": str(number),
            "messageId": message_id,
            "groups": [group["id"]],
            "startDate": "2099-01-01T00:00",
        }
        assert (await wire("POST", "v1/broadcast", broadcast)).status == 200
        await wire("POST", "v1/messages/sms", {**message, "name": f"Hello {number}"})
    assert len((await wire("GET", "v1/broadcasts")).json()) == 10
    assert len((await wire("GET", "v1/messages/sms")).json()) == 12


async def test_19_the_placeholder_links_become_personal(api: Api, wire: Wire) -> None:
    html = (
        '<p>Hi</p><a id="unsubscribe" href="https://esputnik.com/unsubscribe">Leave</a>'
        '<a href="https://esputnik.com/viewInBrowser">View</a>'
    )
    message = {"name": "Hello", "from": '"Shop" <news@example.com>', "subject": "Hi", "htmlText": html}
    message_id = (await wire("POST", "v1/messages/email", message)).json()["id"]
    link = (await wire("GET", f"v1/messages/email/{message_id}/viewLink")).json()["link"]
    page = (await api.client.get(link)).text
    assert "Leave" in page
    assert "https://esputnik.com/" not in page
