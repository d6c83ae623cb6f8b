"""Identity in bulk calls over the wire, sentence by sentence (contract 10.1, 10.3; values of section 3).

    1…3000 contacts                       test_bulk_wire.test_calls_that_break_a_rule_are_refused_whole
    `dedupeOn`, each value                test_every_dedupe_field_finds_its_contact
    `dedupeOn` missing: `email`           test_without_dedupe_on_the_email_counts
    `fieldId` may be null                 test_members_that_are_null_or_empty_equal_absence
    `contactFields` `[]` = absent         test_members_that_are_null_or_empty_equal_absence
    each standard field can be listed     test_a_listed_field_is_written_and_without_a_value_cleared
    absent = all                          test_without_contact_fields_every_given_value_is_written
    listed without a value: null          test_a_listed_field_is_written_and_without_a_value_cleared
    field of `dedupeOn` is not updated    test_the_field_of_dedupe_on_is_not_updated
    `customFieldsIDs`                     test_only_listed_additional_fields_change
    one space, blank, null: no value      test_a_listed_field_is_written_and_without_a_value_cleared,
                                          test_a_listed_additional_field_without_a_value_is_cleared
    `groupNames`, `groupNamesExclude`     test_lists_are_joined_and_left, test_lists_are_made_by_the_import_and_not_before
    `restoreDeleted`                      test_a_deleted_contact_is_skipped_or_restored
    `eventKeyForNewContacts`              test_new_contacts_make_one_event_each, test_the_event_of_a_phone_has_an_empty_email
    external id first                     test_the_external_id_goes_before_dedupe_on
    unknown external id, known email      test_an_unknown_external_id_is_given_to_the_contact_with_the_email
    several with that email               test_of_several_the_one_updated_last
    one with, one without external id     test_of_two_the_one_without_another_external_id
    both with other external ids          test_both_with_other_external_ids_make_a_new_contact
    contacts become confirmed             test_contacts_become_confirmed
    `id` always 0, `failedContacts`       test_bulk_wire.test_the_example_…, …test_several_refused_contacts_are_a_list
    WooCommerce takes a phone away        test_woocommerce_takes_a_phone_away
    no 409                                test_bulk_wire.test_bulk_calls_may_be_repeated
    status and mapping (10.3)             test_the_mapping_names_the_dedupe_value, test_bulk_wire.test_an_unknown_session_…

The rules over random populations: `test_identity_model`.
"""

from __future__ import annotations

from typing import Any

import pytest

from perigee.testing.api import Api

EMAIL = "anna@example.com"
PHONE = "380501112233"
APP = "11111111-2222-3333-4444-555555555555"
MOBILE = {"type": "mobilepush", "value": "fcm-1", "device": {"appId": APP}}
WEB = {"type": "webpush", "value": "web-1", "webPushSubscription": {"appId": 7}}


def email(value: str = EMAIL) -> dict[str, Any]:
    return {"type": "email", "value": value}


def sms(value: Any = PHONE) -> dict[str, Any]:
    return {"type": "sms", "value": value}


async def bulk(api: Api, *contacts: Any, **options: Any) -> list[int]:
    """Contact ids by the import's mapping, which has one for each contact."""
    answer = await api.post("/api/v1/contacts", {"contacts": contacts, "dedupeOn": "email", **options})
    assert answer.status_code == 200, answer.text
    assert "failedContacts" not in answer.json(), answer.text
    await api.run_jobs()
    status = (await api.get(f"/api/v1/importstatus/{answer.json()['asyncSessionId']}")).json()
    assert status["status"] == "FINISHED", status
    return [int(row["contactId"]) for row in status["mapping"]]


async def one(api: Api, contact: Any, **options: Any) -> int:
    (contact_id,) = await bulk(api, contact, **options)
    return contact_id


async def add(api: Api, *channels: dict[str, Any], **members: Any) -> int:
    answer = await api.post("/api/v1/contact", {"channels": channels, **members})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["id"])


async def read(api: Api, contact_id: int) -> dict[str, Any]:
    answer = await api.get(f"/api/v1/contact/{contact_id}")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert isinstance(found, dict)
    return found


async def values(api: Api, contact_id: int) -> list[str]:
    return [channel["value"] for channel in (await read(api, contact_id))["channels"]]


async def fields(api: Api) -> dict[str, int]:
    return dict(await api.rows("select key, field_id from field where org_id = %(org_id)s"))


async def count(api: Api) -> int:
    return len(await api.rows("select 1 from contact where org_id = %(org_id)s"))


@pytest.mark.parametrize(
    ("dedupe_on", "contact"),
    [
        ("email", {"channels": email("ANNA@Example.COM")}),
        ("sms", {"channels": [sms("+38 (050) 111-22-33"), email("x@example.com")]}),
        ("sms", {"channels": [{"type": "viber", "value": 380501112233}]}),
        ("push", {"channels": [MOBILE]}),
        ("push", {"channels": [WEB]}),
        ("mobilepush", {"channels": [MOBILE, WEB, email("x@example.com")]}),
        ("webpush", {"channels": WEB}),
        ("email_or_sms", {"channels": [email("x@example.com"), sms()]}),
        ("email_or_sms", {"channels": [email(), sms("380509999999")]}),
        ("id", {"channels": [email("x@example.com")]}),
        ("externalCustomerId", {"externalCustomerId": 1001, "channels": [email("x@example.com")]}),
        ("fieldId", {"channels": [email("x@example.com")]}),
    ],
)
async def test_every_dedupe_field_finds_its_contact(
    api: Api, dedupe_on: str, contact: dict[str, Any]
) -> None:
    bonus = (await fields(api))["BONUS"]
    bystander = await add(api, email("other@example.com"), sms("380507777777"), externalCustomerId="Z")
    known = await add(
        api, email(), sms(), MOBILE, WEB, externalCustomerId="1001", fields=[{"id": bonus, "value": 7}]
    )
    if dedupe_on == "id":
        contact = {**contact, "id": str(known)}
    if dedupe_on == "fieldId":
        contact = {**contact, "fields": [{"id": bonus, "value": "7"}]}
    found = await one(api, {**contact, "firstName": "Anna"}, dedupeOn=dedupe_on, fieldId=bonus)
    assert found == known
    assert (await read(api, known))["firstName"] == "Anna"
    assert "firstName" not in await read(api, bystander)
    assert await count(api) == 2


async def test_without_dedupe_on_the_email_counts(api: Api) -> None:
    known = await add(api, email())
    assert await one(api, {"channels": [email(), sms()]}, dedupeOn=None) == known


async def test_members_that_are_null_or_empty_equal_absence(api: Api) -> None:
    known = await add(api, email(), firstName="Anna", lastName="Koval")
    found = await one(
        api,
        {"id": None, "channels": [email()], "firstName": "Ann", "address": None, "fields": [], "groups": None},
        contactFields=[], customFieldsIDs=[], groupNames=[], groupNamesExclude=None, fieldId=None,
        restoreDeleted=None, eventKeyForNewContacts="",
    )  # fmt: skip
    assert found == known
    contact = await read(api, known)
    assert (contact["firstName"], contact["lastName"]) == ("Ann", "Koval")
    assert "groups" not in contact


async def test_without_contact_fields_every_given_value_is_written(api: Api) -> None:
    known = await add(api, email(), firstName="Anna", contactKey="old")
    given: dict[str, Any] = {
        "firstName": "Ann", "lastName": "Koval", "contactKey": "new", "languageCode": "uk",
        "timeZone": "Europe/Kyiv", "externalCustomerId": "E",
        "address": {"region": "R", "town": "T", "address": "S", "postcode": "1"},
        "ordersInfo": {"count": 7},
    }  # fmt: skip
    await one(api, {"channels": [email(), sms()], **given})
    found = await read(api, known)
    assert {name: found[name] for name in given} == given
    assert await values(api, known) == [EMAIL, PHONE]


LISTED: list[tuple[str, Any, Any]] = [
    ("firstName", {"firstName": "New"}, {"firstName": " "}),
    ("lastName", {"lastName": "New"}, {"lastName": None}),
    ("contactKey", {"contactKey": "new"}, {"contactKey": ""}),
    ("languageCode", {"languageCode": "uk"}, {"languageCode": " "}),
    ("timeZone", {"timeZone": "Europe/Kyiv"}, {}),
    ("ordersInfo", {"ordersInfo": {"count": 8}}, {"ordersInfo": None}),
    ("externalCustomerId", {"externalCustomerId": "NEW"}, {"externalCustomerId": " "}),
    ("sms", {"channels": [email(), sms("380507654321")]}, {"channels": [email(), sms(" ")]}),
    ("mobilepush", {"channels": [email(), {**MOBILE, "value": "fcm-2"}]}, {"channels": [email()]}),
    ("webpush", {"channels": [email(), {**WEB, "value": "web-2"}]}, {}),
]


@pytest.mark.parametrize(("name", "given", "blank"), LISTED, ids=[name for name, _, _ in LISTED])
async def test_a_listed_field_is_written_and_without_a_value_cleared(
    api: Api, name: str, given: dict[str, Any], blank: dict[str, Any]
) -> None:
    stored: dict[str, Any] = {
        "firstName": "Old", "lastName": "Old", "contactKey": "old", "languageCode": "en",
        "timeZone": "Europe/London", "ordersInfo": {"count": 7},
    }  # fmt: skip
    known = await add(api, email(), sms(), MOBILE, WEB, **stored)
    before = await read(api, known)
    # An unlisted value beside it does not count.
    beside = {"lastName": "No"} if name != "lastName" else {"firstName": "No"}
    assert await one(api, {"channels": [email()], **beside, **given}, contactFields=[name]) == known
    written = await read(api, known)
    if "channels" in given:
        assert given["channels"][1]["value"] in await values(api, known)
    else:
        assert written == {**before, **given}
    assert await one(api, {"channels": [email()], **beside, **blank}, contactFields=[name]) == known
    cleared = await read(api, known)
    if "channels" in given:
        kind = given["channels"][1]["type"]
        assert cleared["channels"] == [one for one in before["channels"] if one["type"] != kind]
    else:
        assert cleared == {key: value for key, value in before.items() if key != name}


@pytest.mark.parametrize("name", ["region", "town", "address", "postcode"])
async def test_each_part_of_the_address_can_be_listed(api: Api, name: str) -> None:
    old = {"region": "R", "town": "T", "address": "S", "postcode": "1"}
    known = await add(api, email(), address=old)
    contact = {"channels": [email()], "address": dict.fromkeys(old, "New")}
    await one(api, contact, contactFields=[name])
    assert (await read(api, known))["address"] == {**old, name: "New"}
    await one(api, {"channels": [email()], "address": {name: " "}}, contactFields=[name])
    assert (await read(api, known))["address"] == {**old, name: ""}


async def test_a_listed_email_is_written_and_cleared_where_something_else_finds(api: Api) -> None:
    known = await add(api, email(), sms())
    await one(api, {"channels": [sms(), email("new@example.com")]}, dedupeOn="sms", contactFields=["email"])
    assert await values(api, known) == ["new@example.com", PHONE]
    await one(api, {"channels": [sms(), email(" ")]}, dedupeOn="sms", contactFields=["email"])
    assert await values(api, known) == [PHONE]


@pytest.mark.parametrize(
    ("dedupe_on", "listed", "channels"),
    [
        ("email", ["email"], [email("new@example.com")]),
        ("sms", ["sms"], [sms("380507654321")]),
        ("email_or_sms", ["email", "sms"], [email("new@example.com"), sms("380507654321")]),
        ("email", None, [email("new@example.com")]),
    ],
)
async def test_the_field_of_dedupe_on_is_not_updated(
    api: Api, dedupe_on: str, listed: list[str] | None, channels: list[Any]
) -> None:
    known = await add(api, email(), sms(), externalCustomerId="A")
    contact = {"externalCustomerId": "A", "channels": channels}
    assert await one(api, contact, dedupeOn=dedupe_on, contactFields=listed) == known
    assert await values(api, known) == [EMAIL, PHONE]


async def test_the_field_of_dedupe_on_is_not_cleared(api: Api) -> None:
    known = await add(api, email(), MOBILE, externalCustomerId="A")
    contact = {"externalCustomerId": "A", "channels": [email()]}
    for dedupe_on in ("mobilepush", "push"):
        assert await one(api, contact, dedupeOn=dedupe_on, contactFields=["mobilepush"]) == known
    assert await values(api, known) == [EMAIL, "fcm-1"]


async def test_the_additional_field_of_dedupe_on_is_not_updated(api: Api) -> None:
    bonus = (await fields(api))["BONUS"]
    known = await add(api, email(), externalCustomerId="A", fields=[{"id": bonus, "value": 7}])
    contact = {"externalCustomerId": "A", "channels": [email()], "fields": [{"id": bonus, "value": 8}]}
    options = {"dedupeOn": "fieldId", "fieldId": str(bonus), "customFieldsIDs": [bonus]}
    assert await one(api, contact, **options) == known
    assert (await read(api, known))["fields"] == [{"id": bonus, "value": "7"}]


async def test_only_listed_additional_fields_change(api: Api) -> None:
    ids = await fields(api)
    level, bonus = ids["LEVEL"], ids["BONUS"]
    known = await add(api, email(), fields=[{"id": level, "value": "gold"}, {"id": bonus, "value": 7}])
    given = [{"id": level, "value": "silver"}, {"id": bonus, "value": 8}]
    await one(api, {"channels": [email()], "fields": given}, customFieldsIDs=[str(bonus)])
    assert {one["id"]: one["value"] for one in (await read(api, known))["fields"]} == {
        level: "gold",
        bonus: "8",
    }


@pytest.mark.parametrize("given", [[], None, "space", "null", "empty"])
async def test_a_listed_additional_field_without_a_value_is_cleared(api: Api, given: Any) -> None:
    ids = await fields(api)
    level, bonus = ids["LEVEL"], ids["BONUS"]
    known = await add(api, email(), fields=[{"id": level, "value": "gold"}, {"id": bonus, "value": 7}])
    if isinstance(given, str):
        given = [{"id": bonus, "value": {"space": " ", "null": None, "empty": ""}[given]}]
    await one(api, {"channels": [email()], "fields": given}, customFieldsIDs=[bonus])
    assert (await read(api, known))["fields"] == [{"id": level, "value": "gold"}]


async def test_a_new_contact_gets_what_is_not_listed_too(api: Api) -> None:
    bonus = (await fields(api))["BONUS"]
    contact = {"channels": [email(), sms()], "firstName": "Anna", "fields": [{"id": bonus, "value": 7}]}
    made = await read(api, await one(api, contact, contactFields=["town"]))
    assert (made["firstName"], made["fields"]) == ("Anna", [{"id": bonus, "value": "7"}])


async def test_lists_are_made_by_the_import_and_not_before(api: Api) -> None:
    body = {"contacts": [{"channels": [email()]}], "dedupeOn": "email", "groupNames": ["News"]}
    assert (await api.post("/api/v1/contacts", body)).status_code == 200
    assert (await api.get("/api/v1/groups")).json() == []
    await api.run_jobs()
    assert [group["name"] for group in (await api.get("/api/v1/groups")).json()] == ["News"]


async def test_lists_are_joined_and_left(api: Api) -> None:
    known = await one(api, {"channels": [email()], "groups": {"name": "Own"}}, groupNames=["Old", "Kept"])
    await one(api, {"channels": [email()]}, groupNames=["New"], groupNamesExclude=["Old", "Never made"])
    assert {group["name"] for group in (await read(api, known))["groups"]} == {"Own", "Kept", "New"}
    names = {group["name"] for group in (await api.get("/api/v1/groups")).json()}
    assert names == {"Own", "Old", "Kept", "New"}


@pytest.mark.parametrize("restore", [False, True, "true", 1, 0, None])
async def test_a_deleted_contact_is_skipped_or_restored(api: Api, restore: Any) -> None:
    known = await add(api, email(), externalCustomerId="A", firstName="Anna")
    await api.delete(f"/api/v1/contact/{known}")
    contact = {"externalCustomerId": "A", "channels": [email()], "firstName": "Ann"}
    assert await one(api, contact, restoreDeleted=restore, groupNames=["L"]) == known
    assert await count(api) == 1
    if restore in (None, False):
        assert (await api.get(f"/api/v1/contact/{known}")).status_code == 404
        assert await api.rows("select 1 from segment_member where org_id = %(org_id)s") == []
    else:
        assert (await read(api, known))["firstName"] == "Ann"


async def events(api: Api) -> list[Any]:
    return await api.rows(
        "select t.key, e.event_key, e.params, e.contact_id from event e"
        " join event_type t using (org_id, event_type_id) where org_id = %(org_id)s order by e.event_key"
    )


async def test_new_contacts_make_one_event_each(api: Api) -> None:
    await add(api, email("known@example.com"))
    gone = await add(api, email("gone@example.com"), externalCustomerId="G")
    await api.delete(f"/api/v1/contact/{gone}")
    twice = {"channels": [email(), sms()]}
    ids = await bulk(
        api, {"channels": [email("known@example.com")]}, twice, twice,
        {"externalCustomerId": "G", "channels": [email("gone@example.com")]},
        eventKeyForNewContacts="newContact", restoreDeleted=True,
    )  # fmt: skip
    params = {"contactId": ids[1], "EmailAddress": EMAIL, "SMS": PHONE}
    assert await events(api) == [("newContact", EMAIL, params, ids[1])]


async def test_the_event_of_a_phone_has_an_empty_email(api: Api) -> None:
    made = await one(api, {"channels": [sms()]}, dedupeOn="sms", eventKeyForNewContacts="newContact")
    params = {"contactId": made, "EmailAddress": "", "SMS": PHONE}
    assert await events(api) == [("newContact", PHONE, params, made)]


async def test_the_external_id_goes_before_dedupe_on(api: Api) -> None:
    known = await add(api, email("a@example.com"), externalCustomerId="1001")
    await add(api, email("b@example.com"))
    contact = {"externalCustomerId": 1001, "channels": [email("b@example.com")]}
    assert await one(api, contact) == known


async def test_an_unknown_external_id_is_given_to_the_contact_with_the_email(api: Api) -> None:
    known = await add(api, email())
    contact = {"externalCustomerId": 1001, "channels": [email()], "firstName": "Anna"}
    assert await one(api, contact) == known
    found = await read(api, known)
    assert (found["externalCustomerId"], found["firstName"]) == ("1001", "Anna")


async def test_of_several_the_one_updated_last(api: Api) -> None:
    first = await add(api, email(), externalCustomerId="A")
    second = await add(api, email(), externalCustomerId="B")
    assert await one(api, {"channels": [email()], "firstName": "One"}) == second
    await api.put(f"/api/v1/contact/{first}", {"firstName": "Two"})
    assert await one(api, {"channels": [email()], "firstName": "Three"}) == first


@pytest.mark.parametrize("without_comes_last", [False, True])
async def test_of_two_the_one_without_another_external_id(api: Api, without_comes_last: bool) -> None:
    if without_comes_last:
        await add(api, email(), externalCustomerId="B")
        ((without,),) = await api.rows(
            "insert into contact (org_id, contact_id, email, source) values"
            " (%(org_id)s, nextval('contact_id_seq'), %(email)s, 'api') returning contact_id",
            email=EMAIL,
        )
    else:
        without = await add(api, email())
        await add(api, email(), externalCustomerId="B")
    assert await one(api, {"externalCustomerId": "C", "channels": [email()]}) == without
    assert await count(api) == 2


async def test_both_with_other_external_ids_make_a_new_contact(api: Api) -> None:
    old = {await add(api, email(), externalCustomerId=value) for value in "AB"}
    made = await one(api, {"externalCustomerId": "C", "channels": [email()]})
    assert made not in old
    assert (await read(api, made))["externalCustomerId"] == "C"


async def test_contacts_become_confirmed(api: Api) -> None:
    form = {"contact": {"channels": [email()]}}
    assert (await api.post("/api/v1/contact/subscribe", form)).json()["emailStatus"] == "NEED_CONFIRMATION"
    await bulk(api, {"channels": [email()]}, {"channels": [email("new@example.com")]})
    rows = await api.rows("select confirmed from address where org_id = %(org_id)s and kind = 'email'")
    assert rows == [(True,), (True,)]


@pytest.mark.parametrize(
    "channels", [[email()], [email(), sms("")], [email(), sms(" ")], [email(), sms(None)]]
)
async def test_woocommerce_takes_a_phone_away(api: Api, channels: list[Any]) -> None:
    known = await add(api, email(), sms(), firstName="Anna")
    await one(api, {"channels": channels, "firstName": " "}, contactFields=["sms"])
    assert await values(api, known) == [EMAIL]
    assert (await read(api, known))["firstName"] == "Anna"


async def test_the_mapping_names_the_dedupe_value(api: Api) -> None:
    body = {
        "contacts": [
            {"channels": [email("Anna@EXAMPLE.com")]},
            {"externalCustomerId": 7, "channels": [sms()]},
        ],
        "dedupeOn": "email",
    }
    session = (await api.post("/api/v1/contacts", body)).json()["asyncSessionId"]
    await api.run_jobs()
    status = (await api.get(f"/api/v1/importstatus/{session}")).json()
    assert [row["dedupeValue"] for row in status["mapping"]] == [EMAIL, "7"]
    assert all(type(row["contactId"]) is int for row in status["mapping"])
