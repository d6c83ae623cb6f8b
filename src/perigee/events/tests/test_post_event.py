"""POST event of v1, v2 and v3 on the wire (contract 16.1–16.3, 25.5)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from perigee.events.tests.conftest import Events

V1 = {
    "eventTypeKey": "orderShipped",
    "keyValue": "anna@example.com",
    "params": [
        {"name": "EmailAddress", "value": "anna@example.com"},
        {"name": "items", "value": '[{"name":"Mug"}]'},
    ],
}
V2 = {
    "eventTypeKey": "AbandonedCart",
    "params": [
        {"name": "externalCustomerId", "value": "CRM-1001"},
        {"name": "items", "value": [{"name": "Mug", "price": 9.5, "url": "https://shop.example.com/mug"}]},
    ],
}
V3 = {
    "eventTypeKey": "AbandonedCart",
    "params": {
        "externalCustomerId": "CRM-1001",
        "cartId": "C-1",
        "totalValue": 250.75,
        "currency": "EUR",
        "itemCount": 3,
    },
}


@pytest.mark.parametrize(
    ("version", "body", "key"),
    [(1, V1, "anna@example.com"), (2, V2, "CRM-1001"), (3, V3, "CRM-1001")],
)
async def test_the_examples(events: Events, version: int, body: dict[str, Any], key: str) -> None:
    answer = await events.api.post(f"/api/v{version}/event", body)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    ((type_key, event_key, contact_id, params, source),) = await events.stored()
    assert (type_key, event_key, source) == (body["eventTypeKey"], key, "api")
    ((known_id, *_),) = await events.contacts()
    assert contact_id == known_id
    given = body["params"]
    assert params == (given if version == 3 else {one["name"]: one["value"] for one in given})


async def test_an_unknown_type_is_made_once(events: Events) -> None:
    await asyncio.gather(*(events.post(keyValue="k", eventTypeKey="fresh") for _ in range(10)))
    assert await events.api.rows("select key, name, category from event_type where org_id = %(org_id)s") == [
        ("fresh", "fresh", "other")
    ]
    assert len(await events.stored()) == 10


async def test_without_a_key_and_an_identifier_it_is_400(events: Events) -> None:
    answer = await events.post({"cartId": "C-1"})
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("keyValue: is required")
    assert await events.stored() == []


async def test_a_body_of_more_than_20_kb_is_refused(events: Events) -> None:
    answer = await events.post({"note": "x" * 20_480}, keyValue="k")
    assert answer.status_code == 413
    assert await events.stored() == []


async def test_bad_json_and_wrong_types_are_400(events: Events) -> None:
    post = events.api.post
    assert (
        await post("/api/v3/event", content=b"{", headers={"content-type": "application/json"})
    ).status_code == 400
    assert (await post("/api/v3/event", ["x"])).status_code == 400
    assert (await post("/api/v3/event", {"eventTypeKey": {"a": 1}, "keyValue": "k"})).status_code == 400
    assert (
        await post("/api/v3/event", {"eventTypeKey": "a", "keyValue": "k", "params": 7})
    ).status_code == 400


async def test_one_bad_event_of_many_at_once_fails_alone(events: Events) -> None:
    await events.set_type("strict", validate_params=True, params='[{"name": "a", "required": true}]')
    answers = await asyncio.gather(
        *(events.post(keyValue="k", eventTypeKey="strict" if n == 3 else "free") for n in range(8))
    )
    assert [answer.status_code for answer in answers] == [400 if n == 3 else 200 for n in range(8)]
    assert len(await events.stored()) == 7


# Contacts


async def test_the_contact_is_found_by_each_identifier(events: Events) -> None:
    contact_id = await events.add_contact(
        external_id="C-1", email="anna@example.com", phone="380501112233", contact_key="k-1"
    )
    await events.api.rows(
        "insert into push_token (org_id, kind, token, contact_id) values (%(org_id)s, 'mobilepush', 't:1', %(id)s)",
        id=contact_id,
    )
    for params in (
        {"ContactId": contact_id},
        {"externalCustomerId": "C-1"},
        {"EmailAddress": "Anna@example.com"},
        {"SMS": "+380501112233"},
        {"PushToken": "t:1"},
        {"ContactKey": "k-1"},
    ):
        assert (await events.post(params, keyValue="k")).status_code == 200
    assert {row[2] for row in await events.stored()} == {contact_id}


async def test_our_own_id_goes_first(events: Events) -> None:
    first = await events.add_contact(email="anna@example.com")
    await events.add_contact(external_id="C-2", email="bo@example.com")
    await events.post({"contactId": first, "externalCustomerId": "C-2", "email": "bo@example.com"})
    assert (await events.stored())[0][2] == first


async def test_the_external_id_narrows_among_those_with_the_email(events: Events) -> None:
    await events.add_contact(external_id="C-1", email="anna@example.com")
    free = await events.add_contact(email="anna@example.com")
    await events.post({"externalCustomerId": "C-9", "email": "anna@example.com"})
    assert (await events.stored())[0][2] == free


async def test_a_foreign_external_id_is_somebody_else(events: Events) -> None:
    anna = await events.add_contact(external_id="C-1", email="anna@example.com")
    await events.post({"externalCustomerId": "C-9", "email": "anna@example.com"})
    (made,) = [row for row in await events.contacts() if row[0] != anna]
    assert made[1:] == ("C-9", "anna@example.com", None)
    assert (await events.stored())[0][2] == made[0]


async def test_an_unknown_person_becomes_one_contact_however_many_events_come_at_once(events: Events) -> None:
    await asyncio.gather(
        *(events.post({"email": "anna@example.com", "phone": "380501112233"}) for _ in range(16))
    )
    ((contact_id, *person),) = await events.contacts()
    assert person == [None, "anna@example.com", "380501112233"]
    assert {row[2] for row in await events.stored()} == {contact_id}
    assert await events.api.rows("select source from contact where org_id = %(org_id)s") == [("event",)]


async def test_a_type_not_used_for_segments_makes_no_contact_and_keeps_none(events: Events) -> None:
    await events.add_contact(email="anna@example.com")
    await events.set_type("seen", use_for_segments=False)
    await events.post({"email": "anna@example.com"})
    await events.post({"email": "new@example.com"})
    assert [row[2] for row in await events.stored()] == [None, None]
    assert len(await events.contacts()) == 1


async def test_an_event_without_identifiers_is_kept_without_a_contact(events: Events) -> None:
    await events.post({"cartId": "C-1"}, keyValue="k")
    assert (await events.stored())[0][2] is None
    assert await events.contacts() == []


async def test_an_unknown_contact_id_makes_nobody(events: Events) -> None:
    await events.post({"contactId": 5})
    assert (await events.stored())[0][1:3] == ("5", None)
    assert await events.contacts() == []


async def test_a_type_may_name_its_own_parameter(events: Events) -> None:
    await events.set_type("seen", contact_param="buyer")
    contact_id = await events.add_contact(external_id="C-1")
    await events.post({"buyer": "C-1"})
    assert (await events.stored())[0][1:3] == ("C-1", contact_id)


# Validation

STRUCTURE = '[{"name": "EmailAddress", "required": true}, {"name": "Name", "required": false}]'


@pytest.mark.parametrize("version", [1, 2])
async def test_a_type_that_validates_says_in_text_what_it_expects(events: Events, version: int) -> None:
    await events.set_type("seen", validate_params=True, params=STRUCTURE)
    answer = await events.post([{"name": "Name", "value": "Anna"}], version, keyValue="k")
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text == (
        "The event should have the following params: "
        '[{"name":"EmailAddress","required":true},{"name":"Name","required":false}]'
    )
    assert await events.stored() == []


async def test_v3_says_it_in_json(events: Events) -> None:
    await events.set_type("seen", validate_params=True, params=STRUCTURE)
    answer = await events.post({"Name": "Anna", "EmailAddress": " "}, keyValue="k")
    assert answer.status_code == 400
    assert answer.content == b'{"params":{"EmailAddress":{"required":true},"Name":{"required":false}}}'


async def test_an_event_that_fits_is_recorded(events: Events) -> None:
    await events.set_type("seen", validate_params=True, params=STRUCTURE)
    assert (await events.post({"EmailAddress": "anna@example.com", "more": 1})).status_code == 200
    assert len(await events.stored()) == 1


async def test_a_bad_contact_json_is_400(events: Events) -> None:
    answer = await events.post({"email": "anna@example.com", "contactJson": {"sms": "12"}})
    assert answer.status_code == 400
    assert answer.json()["message"] == "contactJson: sms: '12' is not valid phone number"
