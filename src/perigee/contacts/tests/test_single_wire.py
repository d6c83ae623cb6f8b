"""One contact at a time on the wire: the examples and remarks of contract section 9."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.testing.api import Api

EXAMPLE = {
    "firstName": "Anna",
    "channels": [{"type": "email", "value": "anna@example.com"}],
    "externalCustomerId": "CRM-1001",
}


async def add(api: Api, **contact: Any) -> int:
    answer = await api.post("/api/v1/contact", contact)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["id"])


async def fields(api: Api) -> dict[str, int]:
    rows = await api.rows("select key, field_id from field where org_id = %(org_id)s")
    return dict(rows)


async def read(api: Api, contact_id: int) -> dict[str, Any]:
    answer = await api.get(f"/api/v1/contact/{contact_id}")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert isinstance(found, dict)
    return found


async def test_the_example_adds_a_contact_and_answers_its_id(api: Api) -> None:
    answer = await api.post("/api/v1/contact", EXAMPLE)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    (contact_id,) = answer.json().values()
    assert await read(api, contact_id) == {
        "id": contact_id,
        "firstName": "Anna",
        "channels": [{"type": "email", "value": "anna@example.com"}],
        "addressBookId": 7200,
        "externalCustomerId": "CRM-1001",
    }


async def test_every_member_comes_back_as_it_was_given(api: Api) -> None:
    level = (await fields(api))["LEVEL"]
    contact: dict[str, Any] = {
        "firstName": "Anna",
        "lastName": "Koval",
        "channels": [
            {"type": "email", "value": "Anna@Example.com"},
            {"type": "sms", "value": "380501112233"},
            {
                "type": "mobilepush",
                "value": "fcm-token-1",
                "device": {
                    "appId": "11111111-2222-3333-4444-555555555555",
                    "os": "Android",
                    "deviceModel": "Pixel",
                    "locale": "en_UK",
                    "clientVersion": "native",
                    "appVersion": "1.2.3",
                    "active": True,
                },
            },
            {"type": "webpush", "value": "wp-1", "webPushSubscription": {"appId": 7, "userAgent": "Firefox"}},
        ],
        "address": {"region": "North", "town": "Exampleton", "address": "1 Sample St", "postcode": "10001"},
        "fields": [{"id": level, "value": "gold"}],
        "externalCustomerId": "CRM-1001",
        "contactKey": "k-1001",
        "languageCode": "en",
        "timeZone": "Europe/London",
        "ordersInfo": {"lastDate": "2025-01-01T00:00:00", "count": 7},
    }
    contact_id = await add(api, **contact, groups={"name": "Customers"}, addressBookId=7200)
    found = await read(api, contact_id)
    assert [group["name"] for group in found.pop("groups")] == ["Customers"]
    contact["channels"][0]["value"] = "Anna@example.com"  # the domain has no case
    assert found == {"id": contact_id, "addressBookId": 7200, **contact}


async def test_an_address_has_all_four_members(api: Api) -> None:
    contact_id = await add(api, **EXAMPLE, address={"town": "Exampleton"})
    assert (await read(api, contact_id))["address"] == {
        "region": "", "town": "Exampleton", "address": "", "postcode": ""
    }  # fmt: skip


@pytest.mark.parametrize(
    "contact",
    [
        {"channels": {"type": "email", "value": "a@example.com"}},
        {"channels": [{"type": "EMAIL", "value": " a@example.com "}], "groups": {"name": "News"}},
        {"channels": [{"type": "email", "value": "a@example.com"}], "externalCustomerId": 1001, "id": "5"},
        {
            "channels": [{"type": "viber", "value": 380501112233}],
            "fields": [],
            "address": None,
            "groups": None,
        },
        {
            "channels": [{"type": "sms", "value": "+38 (050) 111-22-33"}],
            "email": "x",
            "phone": 1,
            "firstName": " ",
        },
        {
            "channels": [None, {"type": "sms", "value": ""}, {"type": "email", "value": "a@example.com"}],
            "id": None,
        },
    ],
)
async def test_what_lenient_clients_send_is_taken(api: Api, contact: dict[str, Any]) -> None:
    found = await read(api, await add(api, **contact))
    assert found["channels"][0]["value"] in ("a@example.com", "380501112233")
    assert "firstName" not in found
    assert found.get("externalCustomerId", "1001") == "1001"


@pytest.mark.parametrize(
    ("contact", "field", "message"),
    [
        ({}, "channels", "channels: at least one channel with a value is required"),
        ({"channels": []}, "channels", "channels: at least one channel with a value is required"),
        (
            {"channels": [{"type": "email", "value": "bad@@example"}]},
            "channels",
            "'bad@@example' is not valid email",
        ),
        ({"channels": [{"type": "sms", "value": "12"}]}, "channels", "'12' is not valid phone number"),
        (
            {"channels": [{"type": "pigeon", "value": "x"}]},
            "channels.type",
            "channels.type: 'pigeon' must be one of",
        ),
        ({**EXAMPLE, "firstName": "12345"}, "firstName", "firstName: '12345' holds no letter"),
        ({**EXAMPLE, "firstName": "A" * 41}, "firstName", "is longer than 40 characters"),
        ({**EXAMPLE, "firstName": {"a": 1}}, "firstName", "firstName: "),
        ({**EXAMPLE, "languageCode": "klingon!"}, "languageCode", "is not a language code"),
        ({**EXAMPLE, "timeZone": "Mars/Olympus"}, "timeZone", "is not a time zone"),
        ({**EXAMPLE, "externalCustomerId": "x" * 256}, "externalCustomerId", "is longer than 255 characters"),
        ({**EXAMPLE, "fields": [{"value": "x"}]}, "fields.id", "fields.id: is required"),
        ({**EXAMPLE, "fields": [{"id": "x", "value": "x"}]}, "fields.id", "'x' is not a whole number"),
        ({**EXAMPLE, "groups": [{"id": 5}]}, "groups.name", "groups.name: is required"),
        ([], None, "must be an object"),
    ],
)
async def test_bad_contacts_are_refused_by_name_and_leave_nothing(
    api: Api, contact: Any, field: str | None, message: str
) -> None:
    answer = await api.post("/api/v1/contact", contact)
    assert answer.status_code == 400
    body = answer.json()
    assert message in body["message"]
    assert body["status"] == 400
    assert body.get("field") == field
    assert await api.rows("select 1 from contact where org_id = %(org_id)s") == []


async def test_control_characters_and_lone_surrogates_never_arrive(api: Api) -> None:
    raw = rb'{"firstName":"An\u0000na\r\nX","externalCustomerId":"\ud800","channels":[{"type":"email","value":"a@example.com"}]}'
    answer = await api.call(
        "POST", "/api/v1/contact", content=raw, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 200
    found = await read(api, answer.json()["id"])
    assert (found["firstName"], found["externalCustomerId"]) == ("Anna X", "\ufffd")


async def test_a_value_outside_its_field_is_not_saved_and_the_contact_is(api: Api) -> None:
    ids = await fields(api)
    contact_id = await add(
        api,
        **EXAMPLE,
        fields=[
            {"id": ids["GENDER"], "value": "neither"},
            {"id": ids["BIRTHDAY"], "value": "31.12.1990"},
            {"id": str(ids["BONUS"]), "value": "7"},
            {"id": 5, "value": "unknown"},
        ],
    )
    assert (await read(api, contact_id))["fields"] == [
        {"id": ids["BIRTHDAY"], "value": "1990-12-31"},
        {"id": ids["BONUS"], "value": "7"},
    ]


async def test_the_same_request_within_a_minute_is_a_duplicate(api: Api) -> None:
    assert (await api.post("/api/v1/contact", EXAMPLE)).status_code == 200
    again = await api.post("/api/v1/contact", EXAMPLE)
    assert again.status_code == 409
    assert "Duplicated request" in again.json()["message"]
    assert (await api.post("/api/v1/contact", {**EXAMPLE, "lastName": "Koval"})).status_code == 200


async def test_a_refused_request_may_be_repeated(api: Api) -> None:
    await add(api, channels=[{"type": "email", "value": "b@example.com"}], externalCustomerId="B")
    contact_id = await add(api, **EXAMPLE)
    path, body = f"/api/v1/contact/{contact_id}", {"externalCustomerId": "B"}
    assert (await api.put(path, body)).status_code == 400
    assert (await api.put(path, body)).status_code == 400


async def test_put_updates_by_id_and_says_so_to_the_letter(api: Api) -> None:
    contact_id = await add(api, **EXAMPLE)
    body = {"lastName": "Koval", "channels": [{"type": "sms", "value": "380501112233"}]}
    answer = await api.put(f"/api/v1/contact/{contact_id}", body)
    assert (answer.status_code, answer.text) == (200, f"Contact with id='{contact_id}' has been updated")
    found = await read(api, contact_id)
    assert (found["firstName"], found["lastName"]) == ("Anna", "Koval")
    assert [channel["value"] for channel in found["channels"]] == ["anna@example.com", "380501112233"]


async def test_put_takes_the_wrapped_form(api: Api) -> None:
    contact_id = await add(api, **EXAMPLE)
    body = {"contact": {"lastName": "Koval"}, "groups": None, "formType": None}
    assert (await api.put(f"/api/v1/contact/{contact_id}", body)).status_code == 200
    assert (await read(api, contact_id))["lastName"] == "Koval"


@pytest.mark.parametrize("number", ["1", "0", "99999999999999999999"])
async def test_unknown_contacts_are_not_found(api: Api, number: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        answer = await api.call(method, f"/api/v1/contact/{number}", {} if method == "PUT" else None)
        assert answer.status_code == 404
        assert f"{number}" in answer.json()["message"]
        assert "is not found" in answer.json()["message"]


async def test_delete_says_so_to_the_letter_and_an_update_restores(api: Api) -> None:
    contact_id = await add(api, **EXAMPLE)
    answer = await api.delete(f"/api/v1/contact/{contact_id}")
    assert (answer.status_code, answer.text) == (200, f"Contact with id='{contact_id}' has been deleted")
    assert (await api.get(f"/api/v1/contact/{contact_id}")).status_code == 404
    assert (await api.put(f"/api/v1/contact/{contact_id}", {"lastName": "K"})).status_code == 200
    assert (await read(api, contact_id))["lastName"] == "K"


@pytest.mark.parametrize("erase", ["", "&erase=0", "&erase=false"])
async def test_delete_by_external_id_is_fulfilled_twice(api: Api, erase: str) -> None:
    contact_id = await add(api, **EXAMPLE)
    path = f"/api/v1/contact?externalCustomerId=CRM-1001{erase}"
    for _ in range(2):
        answer = await api.delete(path)
        assert (answer.status_code, answer.text) == (200, f"Contact with id='{contact_id}' has been deleted")


@pytest.mark.parametrize("erase", ["1", "true"])
async def test_delete_by_external_id_with_erase(api: Api, erase: str) -> None:
    await add(api, **EXAMPLE)
    path = f"/api/v1/contact?externalCustomerId=CRM-1001&erase={erase}"
    assert (await api.delete(path)).status_code == 200
    again = await api.delete(path)
    assert again.status_code == 404
    assert "not found" in again.json()["message"]
    assert (await api.delete("/api/v1/contact")).status_code == 400


async def test_another_organisation_sees_nothing(api: Api) -> None:
    from perigee.testing.api import make_organisation

    contact_id = await add(api, **EXAMPLE)
    _, key = await make_organisation(api.db, "Other")
    for method in ("GET", "PUT", "DELETE"):
        answer = await api.call(
            method, f"/api/v1/contact/{contact_id}", {} if method == "PUT" else None, key=key
        )
        assert answer.status_code == 404
    assert (await api.get("/api/v1/contacts", key=key)).json() == []
    assert (await read(api, contact_id))["firstName"] == "Anna"
