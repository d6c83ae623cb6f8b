"""Contract 10: contacts in bulk, from a file, and how far an import is. Every rule of matching is tested in
`contacts/tests/test_bulk_matching.py`, the reading of files in `contacts/upload/tests`."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import pytest

from perigee.testing.api import Api
from perigee.testing.files import Files, files, settings
from perigee.testing.wire import ok, refused, sentence

__all__ = ["files", "settings"]

MAIL = {"type": "email", "value": "anna@example.com"}
PHONE = {"type": "sms", "value": "380501112233"}
BAD = {"channels": [{"type": "email", "value": "bad@@example"}]}


async def bulk(api: Api, *contacts: Any, **options: Any) -> dict[str, Any]:
    body = {"contacts": list(contacts), "dedupeOn": "email", **options}
    found: dict[str, Any] = ok(await api.post("/api/v1/contacts", body)).json()
    await api.run_jobs()
    return found


async def add(api: Api, *channels: dict[str, Any], **members: Any) -> int:
    return int(
        ok(await api.post("/api/v1/contact", {"channels": list(channels or (MAIL,)), **members})).json()["id"]
    )


async def read(api: Api, contact_id: int) -> dict[str, Any]:
    found: dict[str, Any] = ok(await api.get(f"/api/v1/contact/{contact_id}")).json()
    return found


async def status(api: Api, session: str) -> dict[str, Any]:
    found: dict[str, Any] = ok(await api.get(f"/api/v1/importstatus/{session}")).json()
    return found


async def level(api: Api) -> int:
    ((number,),) = await api.rows("select field_id from field where org_id = %(org_id)s and key = 'LEVEL'")
    return int(number)


async def events(api: Api) -> list[Any]:
    return await api.rows(
        "select t.key, e.event_key, e.params from event e join event_type t using (org_id, event_type_id)"
        " where org_id = %(org_id)s order by event_id"
    )


async def test_the_example_from_the_call_to_the_end_of_its_import(api: Api) -> None:
    field = await level(api)
    contact = {
        "externalCustomerId": "1001",
        "firstName": "Anna",
        "channels": [MAIL],
        "fields": [{"id": field, "value": "gold"}],
    }
    body = {
        "contacts": [contact],
        "dedupeOn": "email",
        "customFieldsIDs": [field],
        "groupNames": ["Customers"],
        "restoreDeleted": False,
        "eventKeyForNewContacts": "newContact",
    }
    answer = ok(await api.post("/api/v1/contacts", body)).json()
    assert answer == {"id": 0, "asyncSessionId": answer["asyncSessionId"]}
    assert uuid.UUID(answer["asyncSessionId"])
    queued = await status(api, answer["asyncSessionId"])
    assert (queued["status"], "mapping" in queued) == ("STARTED", False)
    assert ok(await api.get("/api/v1/groups")).json() == []  # made by the import and not before
    await api.run_jobs()
    done = await status(api, answer["asyncSessionId"])
    (mapped,) = done["mapping"]
    assert (done["status"], mapped["dedupeValue"]) == ("FINISHED", "anna@example.com")
    assert datetime.strptime(done["timestamp"], "%Y-%m-%dT%H:%M:%S")
    found = await read(api, mapped["contactId"])
    assert (found["externalCustomerId"], found["fields"]) == ("1001", [{"id": field, "value": "gold"}])
    assert [group["name"] for group in found["groups"]] == ["Customers"]
    params = {"contactId": mapped["contactId"], "EmailAddress": "anna@example.com", "SMS": ""}
    assert await events(api) == [("newContact", "anna@example.com", params)]
    assert await api.rows("select confirmed from address where org_id = %(org_id)s") == [(True,)]


async def test_the_event_of_a_new_contact_has_the_phone_as_key_without_an_email(api: Api) -> None:
    await bulk(api, {"channels": [PHONE]}, dedupeOn="sms", eventKeyForNewContacts="newContact")
    ((key, event_key, params),) = await events(api)
    assert (key, event_key, params["EmailAddress"], params["SMS"]) == (
        "newContact",
        PHONE["value"],
        "",
        PHONE["value"],
    )
    await bulk(api, {"channels": [PHONE]}, dedupeOn="sms", eventKeyForNewContacts="newContact")
    assert len(await events(api)) == 1  # once, for new ones


async def test_one_refused_contact_is_an_object_and_several_are_an_array(api: Api) -> None:
    error = "'bad@@example' is not valid email"
    answer = await bulk(api, BAD, {"channels": [MAIL]})
    assert answer["id"] == 0
    assert answer["failedContacts"] == {**BAD, "error": error}
    assert "errorMessage" not in answer
    answer = await bulk(api, BAD, BAD)
    assert answer["failedContacts"] == [{**BAD, "error": error}] * 2
    assert await api.rows("select email from contact where org_id = %(org_id)s") == [("anna@example.com",)]


@pytest.mark.parametrize("absent", [{}, {"dedupeOn": None}, {"dedupeOn": ""}])
async def test_a_missing_dedupe_field_is_email(api: Api, absent: dict[str, Any]) -> None:
    contact_id = await add(api)
    ok(
        await api.post(
            "/api/v1/contacts", {"contacts": [{"channels": [MAIL], "lastName": "Koval"}], **absent}
        )
    )
    await api.run_jobs()
    assert (await read(api, contact_id))["lastName"] == "Koval"


async def test_every_dedupe_field_finds_its_contact(api: Api) -> None:
    field = await level(api)
    push = {"type": "mobilepush", "value": "push-1"}
    web = {"type": "webpush", "value": "web-1"}
    contact_id = await add(
        api, MAIL, PHONE, push, web, externalCustomerId="A", fields=[{"id": field, "value": "gold"}]
    )
    stranger = {"type": "email", "value": "stranger@example.com"}
    calls: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
        ({"channels": [MAIL]}, {"dedupeOn": "email"}),
        ({"channels": [PHONE]}, {"dedupeOn": "sms"}),
        ({"channels": [PHONE]}, {"dedupeOn": "email_or_sms"}),
        ({"channels": [push]}, {"dedupeOn": "push"}),
        ({"channels": [push]}, {"dedupeOn": "mobilepush"}),
        ({"channels": [web]}, {"dedupeOn": "webpush"}),
        ({"channels": [MAIL], "id": contact_id}, {"dedupeOn": "id"}),
        ({"channels": [stranger], "externalCustomerId": "A"}, {"dedupeOn": "externalCustomerId"}),
        (
            {"channels": [MAIL], "fields": [{"id": field, "value": "gold"}]},
            {"dedupeOn": "fieldId", "fieldId": field},
        ),
        ({"channels": [MAIL]}, {"dedupeOn": "email", "fieldId": None}),
    )
    for place, (contact, options) in enumerate(calls):
        key = f"k-{place}"
        await bulk(api, {**contact, "contactKey": key}, contactFields=["contactKey"], **options)
        assert (await read(api, contact_id))["contactKey"] == key, options
    assert len(await api.rows("select 1 from contact where org_id = %(org_id)s")) == 1
    refused(await api.post("/api/v1/contacts", {"contacts": [{"channels": [MAIL]}], "dedupeOn": "shoe size"}))


async def test_only_listed_fields_are_updated_and_a_listed_one_without_value_is_cleared(api: Api) -> None:
    field = await level(api)
    contact_id = await add(
        api, firstName="Anna", lastName="Koval", contactKey="k", fields=[{"id": field, "value": "gold"}]
    )
    changed = {
        "channels": [MAIL],
        "firstName": "Olha",
        "contactKey": "z",
        "fields": [{"id": field, "value": "silver"}],
    }
    await bulk(api, changed, contactFields=["firstName", "lastName"])
    found = await read(api, contact_id)
    assert (found["firstName"], "lastName" in found, found["contactKey"]) == ("Olha", False, "k")
    assert found["fields"] == [{"id": field, "value": "gold"}]
    await bulk(api, changed, customFieldsIDs=[field], contactFields=[])
    found = await read(api, contact_id)
    assert (found["contactKey"], found["fields"]) == ("z", [{"id": field, "value": "silver"}])
    await bulk(api, {"channels": [MAIL]}, customFieldsIDs=[field])
    assert "fields" not in await read(api, contact_id)


async def test_the_dedupe_field_is_not_updated(api: Api) -> None:
    contact_id = await add(api, MAIL, externalCustomerId="A")
    other = {
        "channels": [{**MAIL, "value": "other@example.com"}],
        "externalCustomerId": "A",
        "firstName": "Anna",
    }
    await bulk(api, other, contactFields=["email", "firstName"])
    found = await read(api, contact_id)
    assert (found["channels"], found["firstName"]) == ([MAIL], "Anna")


async def test_a_phone_is_taken_away_as_woocommerce_does(api: Api) -> None:
    contact_id = await add(api, MAIL, PHONE, firstName="Anna")
    await bulk(api, {"channels": [MAIL]}, contactFields=["sms"])
    found = await read(api, contact_id)
    assert (found["channels"], found["firstName"]) == ([MAIL], "Anna")


async def test_segments_to_join_and_to_leave(api: Api) -> None:
    contact_id = await add(api, groups=[{"name": "Old"}])
    await bulk(api, {"channels": [MAIL]}, groupNames=["New"], groupNamesExclude=["Old", "Unknown"])
    assert [group["name"] for group in (await read(api, contact_id))["groups"]] == ["New"]
    assert {group["name"] for group in ok(await api.get("/api/v1/groups")).json()} == {"Old", "New"}


async def test_a_deleted_contact_is_skipped_or_restored(api: Api) -> None:
    contact_id = await add(api, externalCustomerId="A")
    sentence(await api.delete(f"/api/v1/contact/{contact_id}"))
    contact = {"channels": [MAIL], "externalCustomerId": "A", "firstName": "Anna"}
    for options in ({}, {"restoreDeleted": False}):
        await bulk(api, contact, **options)
        refused(await api.get(f"/api/v1/contact/{contact_id}"), 404)
    await bulk(api, contact, restoreDeleted=True)
    assert (await read(api, contact_id))["firstName"] == "Anna"
    assert len(await api.rows("select 1 from contact where org_id = %(org_id)s")) == 1


async def test_the_order_of_matching(api: Api) -> None:
    contact_id = await add(api)
    await bulk(api, {"channels": [MAIL], "externalCustomerId": "A"})  # unknown id, known email
    assert (await read(api, contact_id))["externalCustomerId"] == "A"
    await bulk(api, {"channels": [MAIL], "externalCustomerId": "B"})  # the email is another's: a new contact
    found = ok(await api.get("/api/v1/contacts?email=anna@example.com")).json()
    assert {one["externalCustomerId"] for one in found} == {"A", "B"}
    other = {**MAIL, "value": "x@example.com"}
    await bulk(
        api, {"channels": [other], "externalCustomerId": "A", "firstName": "Anna"}
    )  # its id goes first
    assert (await read(api, contact_id))["firstName"] == "Anna"
    free = await add(api, {**MAIL, "value": "y@example.com"})
    sentence(await api.put(f"/api/v1/contact/{free}", {"channels": [MAIL]}))
    await bulk(api, {"channels": [MAIL], "externalCustomerId": "C"})  # the one without an id
    assert (await read(api, free))["externalCustomerId"] == "C"


async def test_the_same_call_twice_is_no_409(api: Api) -> None:
    one, two = [await bulk(api, {"channels": [MAIL]}) for _ in range(2)]
    assert one["asyncSessionId"] != two["asyncSessionId"]


async def test_calls_without_contacts_or_of_another_type(api: Api) -> None:
    assert "contacts" in refused(await api.post("/api/v1/contacts", {"contacts": [], "dedupeOn": "email"}))
    refused(await api.post("/api/v1/contacts", content=b"{}", headers={"Content-Type": "text/csv"}), 415)
    refused(await api.put("/api/v1/contacts", {}), 405)
    refused(await api.post("/api/v1/contacts", {}, key="wrong"), 401)


# 10.2, 10.3


async def test_the_example_of_a_file_by_link(api: Api, files: Files) -> None:
    link = files.link("First name,Email,SMS\nAnna,anna@example.com,+38 050 111 22 33\n", user="me:secret@")
    body = {"link": link, "dedupeOn": "email", "groupNames": ["Import"]}
    answer = ok(await api.post("/api/v1/contacts/upload", body)).json()
    assert set(answer) == {"message", "importId", "fileId", "valid", "asyncSessionId"}
    assert (answer["message"], answer["valid"]) == ("File accepted", True)
    assert answer["asyncSessionId"] == answer["importId"]
    assert isinstance(answer["fileId"], str)
    assert (await status(api, answer["importId"]))["status"] == "STARTED"
    await api.run_jobs()
    done = await status(api, answer["importId"])
    assert done["status"] == "FINISHED"
    (mapped,) = done["mapping"]
    found = await read(api, mapped["contactId"])
    assert (found["firstName"], found["channels"]) == ("Anna", [MAIL, PHONE])
    assert [group["name"] for group in found["groups"]] == ["Import"]
    assert "Authorization" in files.asked[0].headers


@pytest.mark.parametrize(
    "heading",
    ["First name,Last name,Email,SMS", "firstName,lastName,email,sms", " FIRSTNAME ,last NAME,E mail,S M S"],
)
async def test_both_spellings_of_headings_and_unknown_columns(api: Api, files: Files, heading: str) -> None:
    link = files.link(f"{heading},Shoe size\nAnna,Koval,anna@example.com,380501112233,38\n")
    ok(await api.post("/api/v1/contacts/upload", {"link": link, "dedupeOn": "email"}))
    await api.run_jobs()
    (found,) = ok(await api.get("/api/v1/contacts")).json()
    assert (found["firstName"], found["lastName"], found["channels"]) == ("Anna", "Koval", [MAIL, PHONE])
    assert "fields" not in found


@pytest.mark.parametrize("dedupe_on", ["push", "fieldId", "externalCustomerId", "shoe size"])
async def test_a_file_is_matched_by_four_fields_only(api: Api, files: Files, dedupe_on: str) -> None:
    link = files.link("Email\nanna@example.com\n")
    refused(await api.post("/api/v1/contacts/upload", {"link": link, "dedupeOn": dedupe_on}))
    for fine in ("email", "sms", "email_or_sms", "id"):
        ok(await api.post("/api/v1/contacts/upload", {"link": link, "dedupeOn": fine}))


async def test_a_link_is_required_and_of_http(api: Api) -> None:
    for link in (None, "", "ftp://files.example.com/x.csv", "contacts.csv"):
        assert "link" in refused(
            await api.post("/api/v1/contacts/upload", {"link": link, "dedupeOn": "email"})
        )


async def test_an_empty_file_ends_in_error(api: Api, files: Files) -> None:
    body = {"link": files.link(""), "dedupeOn": "email"}
    session = ok(await api.post("/api/v1/contacts/upload", body)).json()["importId"]
    await api.run_jobs()
    done = await status(api, session)
    assert (done["status"], "mapping" in done) == ("ERROR", False)
    assert done["description"]


@pytest.mark.parametrize("session", ["x", "6f2b6b0e-8d0f-4a57-9f1e-2c3d4e5f6a7b", "0"])
async def test_an_unknown_session_is_404(api: Api, session: str) -> None:
    refused(await api.get(f"/api/v1/importstatus/{session}"), 404)
