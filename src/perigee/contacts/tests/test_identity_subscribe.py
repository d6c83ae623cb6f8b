"""Identity in subscription forms over the wire, sentence by sentence (contract 7.2, 9.6).

external id, then email, then phone   test_a_form_looks_by_external_id_then_email_then_phone
stored channels are not replaced      test_channels_of_an_existing_contact_stay
fields of an existing one updated     test_channels_of_an_existing_contact_stay
a deleted contact                     test_a_form_restores_a_deleted_contact
`groups`: names, made if missing      test_subscribe_wire.test_groups_in_every_form,
                                      test_lists_are_made_or_found_by_name
`subscriptions`: keys to add          test_categories_are_added_to_those_there_are
`formType` may be null                test_the_events_names
`fields`, `dedupeOn` are ignored      test_members_beside_the_contact_are_ignored
new: unconfirmed email                test_a_new_contact_waits_and_a_known_one_does_not
triggers reach it, campaigns do not   sending's own tests (`address.confirmed`)
event by new or existing, `formType`  test_the_events_names
`ContactId`, `EmailAddress`, key      test_the_events_parameters
answer, each `emailStatus`            test_subscribe_wire.test_the_state_of_a_known_address_decides,
                                      test_each_email_status_in_turn
409 within a minute                   test_a_repeated_form_is_a_duplicate_and_makes_one_event
"""

from __future__ import annotations

from typing import Any

import pytest

from perigee.segments import categories
from perigee.testing.api import Api

EMAIL = "anna@example.com"
PHONE = "380501112233"
ANNA = {"channels": [{"type": "email", "value": EMAIL}]}
BY_PHONE = {"channels": [{"type": "sms", "value": PHONE}]}


async def send(api: Api, contact: Any, **form: Any) -> dict[str, Any]:
    answer = await api.post("/api/v1/contact/subscribe", {"contact": contact, **form})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert isinstance(found, dict)
    return found


async def add(api: Api, **contact: Any) -> int:
    answer = await api.post("/api/v1/contact", contact)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["id"])


async def read(api: Api, contact_id: int) -> dict[str, Any]:
    answer = await api.get(f"/api/v1/contact/{contact_id}")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert isinstance(found, dict)
    return found


async def events(api: Api) -> list[Any]:
    return await api.rows(
        "select t.key, e.event_key, e.params from event e join event_type t using (org_id, event_type_id)"
        " where org_id = %(org_id)s order by event_id"
    )


async def test_a_form_looks_by_external_id_then_email_then_phone(api: Api) -> None:
    by_id = await add(api, externalCustomerId="1001", channels={"type": "email", "value": "a@example.com"})
    by_email = await add(api, **ANNA)
    by_phone = await add(api, **BY_PHONE)
    both = ANNA["channels"] + BY_PHONE["channels"]
    found = [
        await send(api, {"channels": [{"type": "sms", "value": "+38 (050) 111-22-33"}]}),
        await send(api, {"externalCustomerId": 1001, "channels": both}),
        await send(api, {"channels": [{"type": "email", "value": " ANNA@Example.com "}, *both[1:]]}),
    ]
    assert [one["id"] for one in found] == [by_phone, by_id, by_email]
    assert not any(one["new"] for one in found)


async def test_channels_of_an_existing_contact_stay(api: Api) -> None:
    known = await add(api, externalCustomerId="A", firstName="Anna", lastName="Koval", **ANNA)
    other = {"type": "email", "value": "other@example.com"}
    phone = BY_PHONE["channels"][0]
    answer = await send(
        api, {"externalCustomerId": "A", "channels": [other, phone], "firstName": "Ann", "lastName": " "}
    )
    assert answer["id"] == known
    found = await read(api, known)
    assert (found["firstName"], found["lastName"]) == ("Ann", "Koval")
    # The stored email stays; a phone it had not is added.
    assert [one["value"] for one in found["channels"]] == [EMAIL, PHONE]


async def test_a_form_restores_a_deleted_contact(api: Api) -> None:
    known = await add(api, externalCustomerId="A", **ANNA)
    for contact in ({"externalCustomerId": "A", **ANNA}, ANNA):
        await api.delete(f"/api/v1/contact/{known}")
        answer = await send(api, contact)
        assert (answer["id"], answer["new"]) == (known, False)
        assert (await read(api, known))["channels"] == ANNA["channels"]


async def test_lists_are_made_or_found_by_name(api: Api) -> None:
    first = await send(api, ANNA, groups=["Newsletter", "Shop"])
    second = await send(api, BY_PHONE, groups="Newsletter")
    names = [[group["name"] for group in (await read(api, one["id"]))["groups"]] for one in (first, second)]
    assert [set(one) for one in names] == [{"Newsletter", "Shop"}, {"Newsletter"}]
    assert len(await api.rows("select 1 from segment where org_id = %(org_id)s")) == 2


async def test_categories_are_added_to_those_there_are(api: Api) -> None:
    async with api.db.transaction() as conn:
        for key in ("news", "sales"):
            await categories.create(conn, api.org_id, key.title(), key)
    contact_id = (await send(api, ANNA, subscriptions=["news"]))["id"]
    await send(api, ANNA, subscriptions="sales")
    rows = await api.rows(
        "select c.key from segment_member m join subscription_category c using (org_id, segment_id)"
        " where org_id = %(org_id)s and m.contact_id = %(id)s order by 1",
        id=contact_id,
    )
    assert rows == [("news",), ("sales",)]


async def test_members_beside_the_contact_are_ignored(api: Api) -> None:
    known = await add(api, **ANNA)
    answer = await send(api, ANNA, fields=[{"id": 5, "value": "x"}], dedupeOn="sms", groups=None, nonsense=1)
    assert answer["id"] == known


@pytest.mark.parametrize(
    ("form", "keys"),
    [
        ({}, ["subscribeFromApi", "subscribeUpdateFromApi"]),
        ({"formType": None}, ["subscribeFromApi", "subscribeUpdateFromApi"]),
        ({"formType": " "}, ["subscribeFromApi", "subscribeUpdateFromApi"]),
        ({"formType": "abc"}, ["subscribeFromApi-abc", "subscribeUpdateFromApi-abc"]),
    ],
)
async def test_the_events_names(api: Api, form: dict[str, Any], keys: list[str]) -> None:
    await send(api, ANNA, **form)
    await send(api, {**ANNA, "firstName": "Anna"}, **form)
    assert [key for key, _, _ in await events(api)] == keys


async def test_the_events_parameters(api: Api) -> None:
    with_email = (await send(api, ANNA))["id"]
    without = (await send(api, BY_PHONE))["id"]
    assert [(key, params) for _, key, params in await events(api)] == [
        (str(with_email), {"ContactId": with_email, "EmailAddress": EMAIL}),
        (str(without), {"ContactId": without}),
    ]


async def test_the_event_names_the_stored_email(api: Api) -> None:
    known = await add(api, externalCustomerId="A", **ANNA)
    await send(
        api, {"externalCustomerId": "A", "channels": [{"type": "email", "value": "other@example.com"}]}
    )
    ((_, _, params),) = await events(api)
    assert params == {"ContactId": known, "EmailAddress": EMAIL}


async def test_a_new_contact_waits_and_a_known_one_does_not(api: Api) -> None:
    await add(api, channels={"type": "email", "value": "known@example.com"})
    await send(api, {"channels": {"type": "email", "value": "known@example.com"}})
    await send(api, ANNA)
    rows = await api.rows("select value, confirmed from address where org_id = %(org_id)s")
    assert dict(rows) == {"known@example.com": True, EMAIL: False}


async def test_each_email_status_in_turn(api: Api) -> None:
    first = await send(api, ANNA)
    again = await send(api, {**ANNA, "firstName": "Anna"})
    assert (first["emailStatus"], first["new"]) == ("NEED_CONFIRMATION", True)
    assert (again["emailStatus"], again["new"]) == ("NEED_CONFIRMATION", False)
    await add(api, **ANNA)  # by the API: confirmed
    known = await send(api, {**ANNA, "firstName": "Ann"})
    assert (known["emailStatus"], known["new"]) == ("ALREADY_SUBSCRIBED", False)
    phone = await send(api, BY_PHONE)
    assert (phone["emailStatus"], phone["new"]) == ("SUBSCRIBED", True)


async def test_a_repeated_form_is_a_duplicate_and_makes_one_event(api: Api) -> None:
    await send(api, ANNA)
    again = await api.post("/api/v1/contact/subscribe", {"contact": ANNA})
    assert again.status_code == 409
    assert len(await events(api)) == 1
    assert len(await api.rows("select 1 from contact where org_id = %(org_id)s")) == 1
