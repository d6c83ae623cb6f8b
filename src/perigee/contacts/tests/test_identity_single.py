"""Identity one contact at a time over the wire, sentence by sentence (contract 7.1, 7.2, 9.1–9.5; values of section 3).

    `id` is ignored (7.1)                 test_the_id_of_the_body_is_ignored
    one email, one phone are kept (7.1)   test_the_first_email_and_phone_count
    other catalogues are ignored (7.1)    test_every_catalogue_is_the_one
    `groups` by name, made if missing     test_a_group_is_made_by_its_name
    `externalCustomerId`: numbers (3)     test_an_external_id_may_be_a_number_and_must_not_be_blank
    phone forms (3)                       test_every_form_of_a_phone_is_one_phone
    emails without regard to case (3)     test_the_case_of_an_email_does_not_count
    one instead of many (3)               test_single_wire.test_what_lenient_clients_send_is_taken
    blank equals null, trimmed (3)        test_a_blank_value_is_none, test_blank_channels_are_none
    external id found: update (7.2)       test_a_known_external_id_is_updated
    found but deleted: restored (7.2)     test_a_deleted_external_id_is_restored
    not found: created (7.2)              test_an_unknown_external_id_makes_a_contact
    without it: by a channel (7.2)        test_each_channel_finds
    of two with one email                 test_of_two_with_one_email_the_one_updated_last
    `PUT` by the id only (7.2)            test_put_looks_at_nothing_but_the_id
    a foreign external id is an error     test_a_foreign_external_id_is_refused_and_nothing_written
    `PUT` restores (7.2, 9.2)             test_put_restores
    confirmed, no event (9.1, 9.2)        test_added_and_updated_contacts_are_confirmed_and_make_no_event
    409 within a minute (9.1)             test_the_guard_looks_at_the_whole_request
    unmentioned members stay (9.2)        test_what_put_does_not_mention_stays
    without `groups` (9.2)                test_put_joins_no_lists
    wrapped form (9.2)                    test_put_takes_the_wrapped_form_with_everything
    read: external id, lists (9.3)        test_a_contact_is_read_with_its_external_id_and_lists
    soft delete, update restores (9.4)    test_put_restores, test_a_deleted_contact_is_nowhere
    `erase` (9.4, 9.5)                    test_erase_in_every_form, test_erased_contacts_do_not_come_back,
                                          test_delete.test_erasure_leaves_no_trace_…
    delete by external id (9.5)           test_deleted_by_external_id_again_and_again
    not found: `not found` (9.5)          test_an_unknown_external_id_is_not_found

Rules for names, values of additional fields, devices: `test_clean`, `test_fields`, `test_single_wire`.
"""

from __future__ import annotations

from typing import Any

import pytest

from perigee.testing.api import Api

EMAIL = "anna@example.com"
PHONE = "380501112233"
ANNA = {"channels": [{"type": "email", "value": EMAIL}]}
BY_PHONE = {"channels": [{"type": "sms", "value": PHONE}]}


async def add(api: Api, **contact: Any) -> int:
    answer = await api.post("/api/v1/contact", contact)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["id"])


async def put(api: Api, contact_id: int, body: Any) -> None:
    answer = await api.put(f"/api/v1/contact/{contact_id}", body)
    assert answer.status_code == 200, answer.text


async def read(api: Api, contact_id: int) -> dict[str, Any]:
    answer = await api.get(f"/api/v1/contact/{contact_id}")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert isinstance(found, dict)
    return found


async def count(api: Api) -> int:
    return len(await api.rows("select 1 from contact where org_id = %(org_id)s"))


async def test_the_id_of_the_body_is_ignored(api: Api) -> None:
    other = await add(api, **BY_PHONE)
    made = await add(api, id=other, **ANNA)
    assert made != other
    await put(api, made, {"id": other, "firstName": "Anna"})
    assert "firstName" not in await read(api, other)
    assert (await read(api, made))["firstName"] == "Anna"


async def test_the_first_email_and_phone_count(api: Api) -> None:
    channels = [
        {"type": "email", "value": EMAIL},
        {"type": "email", "value": "second@example.com"},
        {"type": "viber", "value": PHONE},
        {"type": "sms", "value": "380507654321"},
    ]
    found = await read(api, await add(api, channels=channels))
    assert [one["value"] for one in found["channels"]] == [EMAIL, PHONE]


@pytest.mark.parametrize("catalogue", [0, 5, "7200", None])
async def test_every_catalogue_is_the_one(api: Api, catalogue: Any) -> None:
    assert (await read(api, await add(api, addressBookId=catalogue, **ANNA)))["addressBookId"] == 7200


@pytest.mark.parametrize("groups", [{"name": "VIP"}, [{"name": "VIP"}], [{"name": "VIP", "type": "Static"}]])
async def test_a_group_is_made_by_its_name(api: Api, groups: Any) -> None:
    (group,) = (await read(api, await add(api, groups=groups, **ANNA)))["groups"]
    assert (group["name"], group["type"]) == ("VIP", "Static")
    assert [one["id"] for one in (await api.get("/api/v1/groups")).json()] == [group["id"]]


async def test_an_external_id_may_be_a_number_and_must_not_be_blank(api: Api) -> None:
    known = await add(api, externalCustomerId=1001, **ANNA)
    assert (await read(api, known))["externalCustomerId"] == "1001"
    assert await add(api, externalCustomerId="1001", **BY_PHONE) == known
    assert await add(api, externalCustomerId=" 1001 ", firstName="Anna", **BY_PHONE) == known
    for blank in ("", " ", None):  # no external id: the email decides
        assert await add(api, externalCustomerId=blank, lastName=f"Koval{blank}", **ANNA) == known
    assert (await read(api, known))["externalCustomerId"] == "1001"


@pytest.mark.parametrize(
    "value", [PHONE, "+380501112233", " +38 050 111-22-33 ", "38 (050) 111 22 33", 380501112233]
)
@pytest.mark.parametrize("kind", ["sms", "viber"])
async def test_every_form_of_a_phone_is_one_phone(api: Api, value: Any, kind: str) -> None:
    known = await add(api, **BY_PHONE)
    assert await add(api, channels=[{"type": kind, "value": value}], firstName="Anna") == known
    assert (await read(api, known))["channels"] == [{"type": "sms", "value": PHONE}]


@pytest.mark.parametrize("value", ["ANNA@EXAMPLE.COM", "Anna@Example.com", "  anna@example.com "])
async def test_the_case_of_an_email_does_not_count(api: Api, value: str) -> None:
    known = await add(api, **ANNA)
    assert await add(api, channels=[{"type": "email", "value": value}], firstName="Anna") == known
    assert await count(api) == 1


@pytest.mark.parametrize("blank", [" ", "", None, "\t"])
async def test_a_blank_value_is_none(api: Api, blank: Any) -> None:
    members = ("firstName", "lastName", "contactKey", "languageCode", "timeZone", "externalCustomerId")
    known = await add(api, **ANNA, **dict.fromkeys(members, blank), address={"town": blank})
    assert set(await read(api, known)) == {"id", "channels", "addressBookId"}
    assert await add(api, **ANNA, firstName=" Anna ", contactKey=" k ") == known
    found = await read(api, known)
    assert (found["firstName"], found["contactKey"]) == ("Anna", "k")


@pytest.mark.parametrize("blank", [" ", "", None])
@pytest.mark.parametrize("kind", ["email", "sms", "viber", "mobilepush", "webpush", "telegram", "appinbox"])
async def test_blank_channels_are_none(api: Api, kind: str, blank: Any) -> None:
    channel = {"type": kind, "value": blank}
    alone = await api.post("/api/v1/contact", {"channels": [channel]})
    assert alone.status_code == 400
    assert "channels: at least one channel with a value" in alone.json()["message"]
    known = await add(api, channels=[*ANNA["channels"], *BY_PHONE["channels"]])
    await put(api, known, {"channels": [channel]})
    assert [one["value"] for one in (await read(api, known))["channels"]] == [EMAIL, PHONE]


async def test_a_known_external_id_is_updated(api: Api) -> None:
    known = await add(api, externalCustomerId="A", **ANNA)
    await add(api, **BY_PHONE)
    # Its channels may be somebody else's, or new.
    assert await add(api, externalCustomerId="A", firstName="Anna", **BY_PHONE) == known
    found = await read(api, known)
    assert [one["value"] for one in found["channels"]] == [EMAIL, PHONE]
    assert found["firstName"] == "Anna"


async def test_a_deleted_external_id_is_restored(api: Api) -> None:
    known = await add(api, externalCustomerId="A", firstName="Anna", **ANNA)
    await api.delete(f"/api/v1/contact/{known}")
    assert await add(api, externalCustomerId="A", lastName="Koval", **BY_PHONE) == known
    found = await read(api, known)
    assert (found["firstName"], found["lastName"]) == ("Anna", "Koval")
    assert [one["value"] for one in found["channels"]] == [EMAIL, PHONE]


async def test_an_unknown_external_id_makes_a_contact(api: Api) -> None:
    known = await add(api, **ANNA)
    made = await add(api, externalCustomerId="A", **ANNA)
    assert made != known
    assert "externalCustomerId" not in await read(api, known)


@pytest.mark.parametrize(
    "channel",
    [
        {"type": "email", "value": EMAIL},
        {"type": "sms", "value": PHONE},
        {"type": "mobilepush", "value": "token"},
        {"type": "webpush", "value": "token"},
        {"type": "telegram", "value": "token"},
        {"type": "appinbox", "value": "token"},
        {"type": "widget", "value": "token"},
        {"type": "inapp", "value": "token"},
    ],
)
async def test_each_channel_finds(api: Api, channel: dict[str, Any]) -> None:
    known = await add(api, channels=[channel], externalCustomerId="A")
    await add(api, channels={"type": "email", "value": "other@example.com"})
    assert await add(api, channels=[channel], firstName="Anna") == known
    await api.delete(f"/api/v1/contact/{known}")
    assert await add(api, channels=[channel], firstName="Ann") == known
    assert (await read(api, known))["firstName"] == "Ann"
    assert await count(api) == 2


async def test_of_two_with_one_email_the_one_updated_last(api: Api) -> None:
    first = await add(api, externalCustomerId="A", **ANNA)
    second = await add(api, externalCustomerId="B", **ANNA)
    assert await add(api, firstName="One", **ANNA) == second
    await put(api, first, {"firstName": "Two"})
    assert await add(api, firstName="Three", **ANNA) == first
    await api.delete(f"/api/v1/contact/{first}")
    assert await add(api, firstName="Four", **ANNA) == second


async def test_put_looks_at_nothing_but_the_id(api: Api) -> None:
    known = await add(api, **ANNA)
    other = await add(api, **BY_PHONE)
    await put(api, known, {"firstName": "Anna", "externalCustomerId": "A", **BY_PHONE})
    found = await read(api, known)
    assert (found["externalCustomerId"], found["firstName"]) == ("A", "Anna")
    assert [one["value"] for one in found["channels"]] == [EMAIL, PHONE]
    assert "firstName" not in await read(api, other)


@pytest.mark.parametrize("deleted", [False, True])
async def test_a_foreign_external_id_is_refused_and_nothing_written(api: Api, deleted: bool) -> None:
    owner = await add(api, externalCustomerId="A", **BY_PHONE)
    known = await add(api, externalCustomerId="B", **ANNA)
    if deleted:
        await api.delete(f"/api/v1/contact/{owner}")
    answer = await api.put(f"/api/v1/contact/{known}", {"externalCustomerId": "A", "firstName": "Anna"})
    assert answer.status_code == 400
    assert answer.json()["message"] == "externalCustomerId: 'A' belongs to another contact"
    found = await read(api, known)
    assert found["externalCustomerId"] == "B"
    assert "firstName" not in found
    await put(api, known, {"externalCustomerId": "B", "firstName": "Anna"})


async def test_put_restores(api: Api) -> None:
    known = await add(api, externalCustomerId="A", firstName="Anna", **ANNA)
    await api.delete(f"/api/v1/contact/{known}")
    await put(api, known, {})
    found = await read(api, known)
    assert (found["firstName"], found["externalCustomerId"]) == ("Anna", "A")


async def test_added_and_updated_contacts_are_confirmed_and_make_no_event(api: Api) -> None:
    known = await add(api, **ANNA)
    await put(api, known, {"channels": [{"type": "email", "value": "new@example.com"}]})
    rows = await api.rows("select confirmed from address where org_id = %(org_id)s")
    assert rows == [(True,), (True,)]
    assert await api.rows("select 1 from event where org_id = %(org_id)s") == []


async def test_the_guard_looks_at_the_whole_request(api: Api) -> None:
    known = await add(api, **ANNA)
    other = await add(api, **BY_PHONE)
    again = await api.post("/api/v1/contact", ANNA)
    assert (again.status_code, again.json()["message"]) == (409, "Duplicated request")
    # Another path or another method is another request; a GET or a DELETE may always be repeated.
    body = {"firstName": "Anna"}
    await put(api, known, body)
    await put(api, other, body)
    assert (await api.put(f"/api/v1/contact/{known}", body)).status_code == 409
    for _ in range(2):
        assert (await api.get(f"/api/v1/contact/{known}")).status_code == 200
    for _ in range(2):
        assert (await api.delete(f"/api/v1/contact/{known}")).status_code == 200


@pytest.mark.parametrize("body", [{}, {"channels": []}, {"channels": None, "fields": [], "address": None}])
async def test_what_put_does_not_mention_stays(api: Api, body: dict[str, Any]) -> None:
    ids = dict(await api.rows("select key, field_id from field where org_id = %(org_id)s"))
    known = await add(
        api, firstName="Anna", lastName="Koval", externalCustomerId="A", contactKey="k", languageCode="en",
        timeZone="Europe/London", address={"town": "T"}, fields=[{"id": ids["BONUS"], "value": 7}],
        groups="VIP", ordersInfo={"count": 7}, **ANNA,
    )  # fmt: skip
    before = await read(api, known)
    await put(api, known, body)
    assert await read(api, known) == before


async def test_put_joins_no_lists(api: Api) -> None:
    known = await add(api, **ANNA)
    await put(api, known, {"groups": [{"name": "VIP"}]})
    assert (await api.get("/api/v1/groups")).json() == []


async def test_put_takes_the_wrapped_form_with_everything(api: Api) -> None:
    known = await add(api, **ANNA)
    contact = {"firstName": "Anna", "externalCustomerId": 7, "groups": {"name": "VIP"}, **BY_PHONE}
    await put(api, known, {"contact": contact, "groups": ["VIP"], "formType": "x", "firstName": "No"})
    found = await read(api, known)
    assert (found["firstName"], found["externalCustomerId"]) == ("Anna", "7")
    assert [one["value"] for one in found["channels"]] == [EMAIL, PHONE]
    assert "groups" not in found


async def test_a_contact_is_read_with_its_external_id_and_lists(api: Api) -> None:
    found = await read(api, await add(api, externalCustomerId="A", groups=["One", "Two"], **ANNA))
    assert found["externalCustomerId"] == "A"
    assert {(one["name"], one["type"]) for one in found["groups"]} == {("One", "Static"), ("Two", "Static")}


async def test_a_deleted_contact_is_nowhere(api: Api) -> None:
    known = await add(api, externalCustomerId="A", **ANNA)
    answer = await api.delete(f"/api/v1/contact/{known}")
    assert (answer.status_code, answer.text) == (200, f"Contact with id='{known}' has been deleted")
    assert (await api.get(f"/api/v1/contact/{known}")).status_code == 404
    assert (await api.get(f"/api/v1/contacts?email={EMAIL}")).json() == []
    assert await count(api) == 1


ERASE = [("1", True), ("true", True), ("0", False), ("false", False), ("", False)]


@pytest.mark.parametrize(("erase", "gone"), ERASE)
@pytest.mark.parametrize("by_external_id", [False, True])
async def test_erase_in_every_form(api: Api, erase: str, gone: bool, by_external_id: bool) -> None:
    known = await add(api, externalCustomerId="A", **ANNA)
    path = f"/api/v1/contact?externalCustomerId=A&erase={erase}"
    if not by_external_id:
        path = f"/api/v1/contact/{known}?erase={erase}"
    answer = await api.delete(path)
    assert (answer.status_code, answer.text) == (200, f"Contact with id='{known}' has been deleted")
    assert await count(api) == (0 if gone else 1)
    assert (await api.get(f"/api/v1/contact/{known}")).status_code == 404
    # Softly deleted again and again; what is gone is not found.
    assert (await api.delete(path)).status_code == (404 if gone else 200)


@pytest.mark.parametrize("soft_first", [False, True])
async def test_erased_contacts_do_not_come_back(api: Api, soft_first: bool) -> None:
    known = await add(api, externalCustomerId="A", firstName="Anna", **ANNA)
    if soft_first:
        assert (await api.delete(f"/api/v1/contact/{known}")).status_code == 200
    assert (await api.delete(f"/api/v1/contact/{known}?erase=1")).status_code == 200
    assert (await api.put(f"/api/v1/contact/{known}", {"firstName": "Ann"})).status_code == 404
    made = await add(api, externalCustomerId="A", lastName="Koval", **ANNA)
    assert made != known
    assert "firstName" not in await read(api, made)


async def test_deleted_by_external_id_again_and_again(api: Api) -> None:
    known = await add(api, externalCustomerId=1001, **ANNA)
    for _ in range(3):
        answer = await api.delete("/api/v1/contact?externalCustomerId=1001")
        assert (answer.status_code, answer.text) == (200, f"Contact with id='{known}' has been deleted")
    assert await add(api, externalCustomerId=1001, firstName="Anna", **ANNA) == known


@pytest.mark.parametrize("value", ["nobody", "anna%40example.com", "100001"])
async def test_an_unknown_external_id_is_not_found(api: Api, value: str) -> None:
    await add(api, externalCustomerId="A", **ANNA)
    answer = await api.delete(f"/api/v1/contact?externalCustomerId={value}")
    assert answer.status_code == 404
    assert "not found" in answer.json()["message"]
    assert await count(api) == 1
