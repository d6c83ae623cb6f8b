"""Contract 3: how values look on the wire, in requests and in answers."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.testing.api import Api
from perigee.testing.wire import empty, ok, refused, sentence

ANNA: dict[str, Any] = {"channels": [{"type": "email", "value": "anna@example.com"}]}


async def add(api: Api, **members: Any) -> int:
    return int(ok(await api.post("/api/v1/contact", {**ANNA, **members})).json()["id"])


async def read(api: Api, contact_id: int) -> dict[str, Any]:
    found: dict[str, Any] = ok(await api.get(f"/api/v1/contact/{contact_id}")).json()
    return found


async def field_id(api: Api, key: str) -> int:
    ((number,),) = await api.rows(
        "select field_id from field where org_id = %(org_id)s and key = %(key)s", key=key
    )
    return int(number)


def order(**members: Any) -> dict[str, Any]:
    return {
        "externalOrderId": "SO-1",
        "totalCost": 59.9,
        "status": "DELIVERED",
        "date": "2025-05-04T10:11:10+03:00",
        "email": "anna@example.com",
        **members,
    }


async def test_ids_are_numbers_in_answers(api: Api) -> None:
    contact_id = await add(
        api, groups=[{"name": "News"}], fields=[{"id": await field_id(api, "LEVEL"), "value": "gold"}]
    )
    found = await read(api, contact_id)
    (group,) = ok(await api.get("/api/v1/groups")).json()
    ids = [
        found["id"],
        found["fields"][0]["id"],
        found["groups"][0]["id"],
        found["addressBookId"],
        group["id"],
    ]
    assert [type(one) for one in ids] == [int] * 5


async def test_ids_as_text_are_taken_in_requests(api: Api) -> None:
    level = await field_id(api, "LEVEL")
    contact_id = await add(api, id="12345", fields=[{"id": str(level), "value": "gold"}])
    assert (await read(api, contact_id))["fields"] == [{"id": level, "value": "gold"}]
    sentence(await api.put(f"/api/v1/contact/{contact_id}", {"id": str(contact_id), "firstName": "Anna"}))
    await add(api, groups=[{"name": "News"}])
    (group,) = ok(await api.get("/api/v1/groups")).json()
    sentence(
        await api.post(f"/api/v1/group/{group['id']}/contacts/detach", {"contactIds": [str(contact_id)]})
    )
    assert ok(await api.get(f"/api/v1/group/{group['id']}/contacts")).json() == []


async def test_an_external_id_as_number_becomes_text(api: Api) -> None:
    contact_id = await add(api, externalCustomerId=1001)
    assert (await read(api, contact_id))["externalCustomerId"] == "1001"
    assert await add(api, externalCustomerId="1001", firstName="Anna") == contact_id


@pytest.mark.parametrize("value", ["", "  ", "null"])
async def test_an_external_id_of_an_event_that_says_nothing_is_ignored(api: Api, value: str) -> None:
    contact_id = await add(api)
    params = [{"name": "externalCustomerId", "value": value}, {"name": "email", "value": "anna@example.com"}]
    empty(await api.post("/api/v2/event", {"eventTypeKey": "viewed", "keyValue": "1", "params": params}))
    assert await api.rows("select contact_id from event where org_id = %(org_id)s") == [(contact_id,)]
    assert "externalCustomerId" not in await read(api, contact_id)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2025-03-08T09:30", "2025-03-08 07:30:00"),
        ("2025-03-08T09:30:00", "2025-03-08 07:30:00"),
        ("2025-03-08T09:30:00Z", "2025-03-08 09:30:00"),
        ("2025-03-08T09:30:00+03:00", "2025-03-08 06:30:00"),
        ("2025-03-08T09:30:00.123Z", "2025-03-08 09:30:00.123"),
        ("2025-03-08T09:30:00.123456+03:00", "2025-03-08 06:30:00.123456"),
        ("2025-03-08T09:30:11.7022176+03:00", "2025-03-08 06:30:11.702217"),
    ],
)
async def test_every_form_of_a_moment_and_the_zone_of_the_organisation(api: Api, text: str, utc: str) -> None:
    await api.rows("update organisation set time_zone = 'Europe/Kyiv' where org_id = %(org_id)s")
    empty(await api.post("/api/v1/orders", {"orders": [order(date=text)]}))
    assert await api.rows(
        "select (ordered_at at time zone 'UTC')::text from orders where org_id = %(org_id)s"
    ) == [(utc,)]


@pytest.mark.parametrize(("value", "total"), [("59.90", 59.9), (60, 60.0), (" 7 ", 7.0), (0, 0.0)])
async def test_money_may_be_numeric_text(api: Api, value: Any, total: float) -> None:
    empty(await api.post("/api/v1/orders", {"orders": [order(totalCost=value)]}))
    assert await api.rows("select total::float from orders where org_id = %(org_id)s") == [(total,)]


async def test_an_empty_amount_equals_absence(api: Api) -> None:
    bare, emptied = order(externalOrderId="A"), order(externalOrderId="B", discount="", shipping="", taxes="")
    empty(await api.post("/api/v1/orders", {"orders": [bare, emptied]}))
    rows = await api.rows("select distinct total, details from orders where org_id = %(org_id)s")
    assert len(rows) == 1


async def test_money_that_is_no_number_is_refused(api: Api) -> None:
    failed = ok(await api.post("/api/v1/orders", {"orders": [order(totalCost="much")]})).json()
    assert "totalCost" in str(failed)
    assert await api.rows("select 1 from orders where org_id = %(org_id)s") == []


@pytest.mark.parametrize(
    ("value", "restored"),
    [
        (True, True),
        ("true", True),
        (1, True),
        ("1", True),
        (False, False),
        ("false", False),
        (0, False),
        ("0", False),
    ],
)
async def test_booleans_in_a_body(api: Api, value: Any, restored: bool) -> None:
    contact_id = await add(api, externalCustomerId="CRM-1")
    sentence(await api.delete(f"/api/v1/contact/{contact_id}"))
    body = {
        "contacts": [{**ANNA, "externalCustomerId": "CRM-1"}],
        "dedupeOn": "email",
        "restoreDeleted": value,
    }
    ok(await api.post("/api/v1/contacts", body))
    await api.run_jobs()
    answer = await api.get(f"/api/v1/contact/{contact_id}")
    assert answer.status_code == (200 if restored else 404)


@pytest.mark.parametrize("code", ["en", "uk", "es-AR"])
async def test_languages(api: Api, code: str) -> None:
    assert (await read(api, await add(api, languageCode=code)))["languageCode"] == code


async def test_languages_and_zones_that_are_none(api: Api) -> None:
    assert "languageCode" in refused(
        await api.post("/api/v1/contact", {**ANNA, "languageCode": "no language"})
    )
    assert "timeZone" in refused(await api.post("/api/v1/contact", {**ANNA, "timeZone": "Europe/Atlantis"}))
    assert (await read(api, await add(api, timeZone="Europe/Kyiv")))["timeZone"] == "Europe/Kyiv"


@pytest.mark.parametrize(
    "phone", ["380501112233", "+380501112233", "+38 050 111 22 33", "38-050-111-22-33", "+38 (050) 111-22-33"]
)
async def test_answers_show_a_phones_digits_only(api: Api, phone: str) -> None:
    contact_id = await add(api, channels=[{"type": "sms", "value": phone}])
    assert (await read(api, contact_id))["channels"] == [{"type": "sms", "value": "380501112233"}]


async def test_emails_are_compared_without_regard_to_case(api: Api) -> None:
    contact_id = await add(api)
    assert await add(api, channels=[{"type": "email", "value": "ANNA@Example.COM"}]) == contact_id
    found = ok(await api.get("/api/v1/contacts?email=Anna@EXAMPLE.com")).json()
    assert [one["id"] for one in found] == [contact_id]
    assert await add(
        api, externalCustomerId="abc", channels=[{"type": "email", "value": "b@example.com"}]
    ) != (await add(api, externalCustomerId="ABC", channels=[{"type": "email", "value": "c@example.com"}]))


async def test_one_object_may_stand_for_an_array(api: Api) -> None:
    channel = {"type": "email", "value": "anna@example.com"}
    contact_id = await add(api, channels=channel, groups={"name": "News"})
    found = await read(api, contact_id)
    assert (found["channels"], [group["name"] for group in found["groups"]]) == ([channel], ["News"])
    form = {"contact": {"channels": channel}, "groups": {"name": "Form"}}
    assert ok(await api.post("/api/v1/contact/subscribe", form)).json()["id"] == contact_id
    ok(
        await api.post(
            "/api/v1/contacts", {"contacts": {"channels": channel, "lastName": "Koval"}, "dedupeOn": "email"}
        )
    )
    await api.run_jobs()
    assert (await read(api, contact_id))["lastName"] == "Koval"


BAD: dict[str, Any] = {"id": 7, "channels": [{"type": "email", "value": "bad@@example"}]}


async def failures(api: Api, count: int) -> Any:
    body = {"contacts": [BAD] * count, "dedupeOn": "email"}
    return ok(await api.post("/api/v1/contacts", body)).json()["failedContacts"]


async def emails(api: Api, *ids: int) -> Any:
    return ok(await api.get("/api/v1/contacts/email?ids=" + ",".join(map(str, ids)))).json()["results"]


async def test_one_element_of_the_listed_members_is_the_object_itself_with_text_for_scalars(api: Api) -> None:
    one = await add(api)
    assert (await failures(api, 1))["id"] == "7"
    assert (await emails(api, one))["contactId"] == str(one)
    mail = {
        "from": '"Example" <news@example.com>',
        "subject": "Hi",
        "htmlText": "<p>Hi</p>",
        "emails": ["a@example.com"],
    }
    sent = ok(await api.post("/api/v1/message/email", mail)).json()["results"]
    assert {type(value) for value in sent.values()} == {str}
    state = ok(await api.get(f"/api/v1/message/status?ids={sent['requestId']}")).json()["results"]
    assert state["requestId"] == sent["requestId"]
    assert isinstance(ok(await api.get("/api/v1/addressbooks")).json()["addressBook"], dict)


async def test_several_elements_are_an_array_with_numbers(api: Api) -> None:
    one = await add(api)
    two = await add(api, channels=[{"type": "email", "value": "bo@example.com"}])
    assert [failed["id"] for failed in await failures(api, 2)] == [7, 7]
    assert {each["contactId"] for each in await emails(api, one, two)} == {one, two}


async def test_an_organisation_may_have_arrays_always(api: Api) -> None:
    await api.rows(
        "update organisation set settings = settings || '{\"always_arrays\": true}' where org_id = %(org_id)s"
    )
    one = await add(api)
    assert [failed["id"] for failed in await failures(api, 1)] == [7]
    assert [each["contactId"] for each in await emails(api, one)] == [one]


async def test_top_level_lists_and_lists_of_a_contact_are_never_collapsed(api: Api) -> None:
    contact_id = await add(
        api, groups=[{"name": "News"}], fields=[{"id": await field_id(api, "LEVEL"), "value": "gold"}]
    )
    for path in ("groups", "contacts"):
        assert len(ok(await api.get(f"/api/v1/{path}")).json()) == 1
    found = await read(api, contact_id)
    assert [len(found[name]) for name in ("channels", "fields", "groups")] == [1, 1, 1]
    assert all(isinstance(found[name], list) for name in ("channels", "fields", "groups"))
    made = {"name": "Hello", "from": "EXAMPLE", "text": "Hello"}
    assert (await api.post("/api/v1/messages/sms", made)).status_code == 200
    assert isinstance(ok(await api.get("/api/v1/messages/sms")).json(), list)


async def test_a_new_organisation_has_at_least_two_groups_of_fields(api: Api) -> None:
    book = ok(await api.get("/api/v1/addressbooks")).json()["addressBook"]
    assert isinstance(book["fieldGroups"], list)
    assert len(book["fieldGroups"]) >= 2


@pytest.mark.parametrize("blank", [" ", "", None, "\t \n"])
async def test_blank_is_null_and_clears_a_listed_field(api: Api, blank: Any) -> None:
    contact_id = await add(api, firstName="Anna", contactKey="k-1")
    changed = {**ANNA, "firstName": blank, "contactKey": blank}
    body = {"contacts": [changed], "dedupeOn": "email", "contactFields": ["firstName"]}
    ok(await api.post("/api/v1/contacts", body))
    await api.run_jobs()
    found = await read(api, contact_id)
    assert ("firstName" in found, found["contactKey"]) == (False, "k-1")


async def test_text_is_trimmed(api: Api) -> None:
    found = await read(api, await add(api, firstName="  Anna ", contactKey=" k-1 "))
    assert (found["firstName"], found["contactKey"]) == ("Anna", "k-1")
