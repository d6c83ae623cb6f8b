"""Look-ups on the wire: search, emails, unsubscribed list, additional fields, push tokens (contract 11, 12, 15, 22)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from perigee.contacts import fields
from perigee.contacts.fields import NewField
from perigee.testing.api import Api, make_organisation

APP = "11111111-2222-3333-4444-555555555555"
TOKEN = "fK:3-a_b:APA91b"


async def add(api: Api, email: str | None = None, **members: Any) -> int:
    channels = members.pop("channels", [{"type": "email", "value": email}])
    answer = await api.post("/api/v1/contact", {"channels": channels, **members})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["id"])


async def search(api: Api, **query: Any) -> tuple[list[int], int]:
    answer = await api.get("/api/v1/contacts", params=query)
    assert answer.status_code == 200, answer.text
    # The spelling matters on the wire; the client here does not tell.
    return [contact["id"] for contact in answer.json()], int(answer.headers["TotalCount"])


async def test_search_by_each_condition(api: Api) -> None:
    anna = await add(api, "Anna@Example.com", firstName="Anna", lastName="Koval", externalCustomerId="CRM-1")
    bo = await add(
        api, channels=[{"type": "sms", "value": "380501112233"}], firstName="Ann", externalCustomerId="CRM-2"
    )
    assert await search(api, email="anna@EXAMPLE.com") == ([anna], 1)
    assert await search(api, sms="+380 50 111 22 33") == ([bo], 1)
    assert await search(api, firstname="ANN") == ([bo, anna], 2)
    assert await search(api, firstname="ann", lastname="kov") == ([anna], 1)
    assert await search(api, externalCustomerId="CRM-1", sms="380501112233") == ([anna], 1)
    assert await search(api, email="nobody@example.com") == ([], 0)
    assert await search(api, email="not an email") == ([], 0)
    assert await search(api, email="", channels="x", groups="y") == ([bo, anna], 2)


async def test_search_rows_are_full_contacts(api: Api) -> None:
    await add(api, "anna@example.com", firstName="Anna", externalCustomerId="CRM-1")
    (row,) = (await api.get("/api/v1/contacts?externalCustomerId=CRM-1")).json()
    assert set(row) == {"id", "firstName", "channels", "addressBookId", "externalCustomerId"}
    assert row["channels"] == [{"type": "email", "value": "anna@example.com"}]


async def test_pages_count_from_one_and_know_the_total(api: Api) -> None:
    ids = [await add(api, f"p{n}@example.com") for n in range(5)]
    assert await search(api) == (ids[::-1], 5)
    assert await search(api, startindex=2, maxrows=2) == (ids[::-1][1:3], 5)
    assert await search(api, startindex=6) == ([], 5)
    assert await search(api, startindex=4, maxrows=100000, sortBy="contactId") == (ids[3:], 5)
    await api.delete(f"/api/v1/contact/{ids[0]}")
    assert await search(api, sortBy="contactId") == (ids[1:], 4)
    for bad in ("0", "x", "-1"):
        assert (await api.get(f"/api/v1/contacts?startindex={bad}")).status_code == 400


async def test_the_last_updated_comes_first(api: Api) -> None:
    first, second = await add(api, "a@example.com"), await add(api, "b@example.com")
    assert (await search(api))[0] == [second, first]
    await api.put(f"/api/v1/contact/{first}", {"firstName": "Anna"})
    assert (await search(api))[0] == [first, second]


async def test_emails_by_ids_collapse_when_alone(api: Api) -> None:
    a, b = await add(api, "a@example.com"), await add(api, "b@example.com")
    path = "/api/v1/contacts/email"
    both = [{"contactId": a, "email": "a@example.com"}, {"contactId": b, "email": "b@example.com"}]
    assert (await api.get(f"{path}?ids={a}, {b},5")).json() == {"results": both}
    assert (await api.get(f"{path}?ids={a}&ids={b}")).json() == {"results": both}
    assert (await api.get(f"{path}?ids={a}")).json() == {
        "results": {"contactId": str(a), "email": "a@example.com"}
    }
    assert (await api.get(f"{path}?emails=a@example.com")).json() == {"results": []}
    assert (await api.get(f"{path}?ids=x")).status_code == 400
    assert (await api.get(f"{path}?ids=99999999999999999999")).status_code == 400


@pytest.mark.parametrize(
    ("add_path", "delete_path"),
    [
        ("emails/unsubscribed/add", "emails/unsubscribed/delete"),
        ("emails/unsubscribe/add", "emails/unsubscribe/delete"),
        ("emails/unsubscribed", "emails/unsubscribed/delete"),
    ],
)
async def test_addresses_are_marked_and_unmarked(api: Api, add_path: str, delete_path: str) -> None:
    await add(api, "anna@example.com")
    body = {"emails": ["Anna@example.com", "bo@example.com", "nonsense", None]}
    answer = await api.post(f"/api/v1/{add_path}", body)
    assert (answer.status_code, answer.content) == (200, b"")
    marked = "select value from address where org_id = %(org_id)s and unsubscribed_at is not null order by 1"
    assert await api.rows(marked) == [("anna@example.com",), ("bo@example.com",)]
    assert (await api.post(f"/api/v1/{add_path}", body)).status_code == 200
    answer = await api.post(f"/api/v1/{delete_path}", {"emails": "anna@example.com"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert await api.rows(marked) == [("bo@example.com",)]
    log = await api.rows("select action, source from consent_log where org_id = %(org_id)s order by log_id")
    assert log == [("unsubscribed", "api"), ("unsubscribed", "api"), ("resubscribed", "api")]


@pytest.mark.parametrize(
    "body", [{}, {"emails": []}, {"emails": [" "]}, {"emails": ["x@@y"]}, {"emails": {"a": 1}}]
)
async def test_no_address_at_all_is_refused(api: Api, body: Any) -> None:
    assert (await api.post("/api/v1/emails/unsubscribed/add", body)).status_code == 400


async def test_address_books_of_a_new_organisation(api: Api) -> None:
    book = (await api.get("/api/v1/addressbooks")).json()["addressBook"]
    assert set(book) == {"addressBookId", "name", "fieldGroups"}
    assert [group["profileKey"] for group in book["fieldGroups"]] == ["PERSONAL", "SHOP"]
    birthday, gender = book["fieldGroups"][0]["fields"]
    assert set(birthday) == {"id", "name", "fieldKey", "description"}
    assert birthday["description"] == {"type": "date", "required": False, "readonly": False}
    assert gender["description"]["allowedValues"] == {"possibleValues": ["female", "male", "other"]}


async def test_a_field_alone_in_its_group_stands_without_its_list(api: Api) -> None:
    async with api.db.transaction() as conn:
        group_id = await fields.create_group(conn, api.org_id, "Loyalty card")
        field_id = await fields.create_field(
            conn, api.org_id, group_id, NewField("Points", "", "number", low=0, high=99)
        )
    group = (await api.get("/api/v1/addressbooks")).json()["addressBook"]["fieldGroups"][-1]
    assert group == {
        "name": "Loyalty card",
        "profileKey": "LOYALTY_CARD",
        "fields": {
            "id": str(field_id),
            "name": "Points",
            "fieldKey": "POINTS",
            "description": {
                "type": "number",
                "allowedValues": {"minValue": 0, "maxValue": 99},
                "required": "false",
                "readonly": "false",
            },
        },
    }


async def test_additional_fields_as_a_plain_list(api: Api) -> None:
    found = (await api.get("/api/v1/additionalfields")).json()
    assert [one["fieldKey"] for one in found] == ["BIRTHDAY", "GENDER", "BONUS", "LEVEL"]
    assert set(found[0]) == {"id", "name", "fieldKey", "profileKey", "type"}


async def test_a_token_is_switched_off_and_on_and_leads_to_its_contact(api: Api) -> None:
    device = {"type": "mobilepush", "value": TOKEN, "device": {"appId": APP}}
    contact_id = await add(api, channels=[device])
    path = f"/api/v1/contact/token/activated/{APP}/{quote(TOKEN)}"
    assert (await api.get(path)).json() == {"active": True}
    assert (await api.put(path, {"active": False})).json() == {"active": False}
    assert (await api.get(path)).json() == {"active": False}
    assert (await api.put(path, {"active": "true"})).json() == {"active": True}
    answer = await api.get(f"/api/v1/contact/token/{APP}/{TOKEN}/contactId")
    assert (answer.status_code, answer.json()) == (200, {"id": contact_id})
    channels = (await api.get(f"/api/v1/contact/{contact_id}")).json()["channels"]
    assert channels == [{"type": "mobilepush", "value": TOKEN, "device": {"appId": APP, "active": True}}]


async def test_unknown_tokens_are_not_found(api: Api) -> None:
    await add(api, channels=[{"type": "mobilepush", "value": TOKEN, "device": {"appId": APP}}])
    _, other = await make_organisation(api.db, "Other")
    for app, token, key in ((APP, "x", api.key), ("other", TOKEN, api.key), (APP, TOKEN, other)):
        path = f"/api/v1/contact/token/activated/{app}/{token}"
        assert (await api.get(path, key=key)).status_code == 404
        assert (await api.put(path, {"active": False}, key=key)).status_code == 404
        assert (await api.get(f"/api/v1/contact/token/{app}/{token}/contactId", key=key)).status_code == 404
    assert (await api.put(f"/api/v1/contact/token/activated/{APP}/{TOKEN}", {})).status_code == 400
