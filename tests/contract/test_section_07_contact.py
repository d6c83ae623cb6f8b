"""Contract 7: the contact of the wire, member by member, and how it is found. Long tables of names and of matching are
tested beside their code, in `lib/tests/test_names.py` and `contacts/tests/test_matching.py`."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.testing.api import Api
from perigee.testing.wire import empty, ok, refused, sentence

MAIL = {"type": "email", "value": "anna@example.com"}
PHONE = {"type": "sms", "value": "380501112233"}
DEVICE = {
    "appId": "11111111-2222-3333-4444-555555555555",
    "os": "Android",
    "deviceModel": "Pixel",
    "locale": "en_UK",
    "clientVersion": "native",
    "appVersion": "1.2.3",
    "active": True,
}


async def add(api: Api, *channels: dict[str, Any], **members: Any) -> int:
    body = {"channels": list(channels or (MAIL,)), **members}
    return int(ok(await api.post("/api/v1/contact", body)).json()["id"])


async def read(api: Api, contact_id: int) -> dict[str, Any]:
    found: dict[str, Any] = ok(await api.get(f"/api/v1/contact/{contact_id}")).json()
    return found


async def refuse(api: Api, **members: Any) -> str:
    return refused(await api.post("/api/v1/contact", {"channels": [MAIL], **members}))


async def field(api: Api, kind: str, choices: list[str]) -> int:
    group = await api.post("/api/v4/fields/groups", {"name": "Own"})
    body = {"group_id": group.json()["group_id"], "name": "Own", "type": kind, "choices": choices}
    made = await api.post("/api/v4/fields", body)
    assert made.status_code == 201, made.text
    return int(made.json()["field_id"])


async def ids_by_key(api: Api) -> dict[str, int]:
    return dict(await api.rows("select key, field_id from field where org_id = %(org_id)s"))


async def test_the_example_comes_back_as_it_was_given(api: Api) -> None:
    level = (await ids_by_key(api))["LEVEL"]
    book = ok(await api.get("/api/v1/addressbooks")).json()["addressBook"]
    example: dict[str, Any] = {
        "firstName": "Anna",
        "lastName": "Koval",
        "channels": [MAIL, PHONE, {"type": "mobilepush", "value": "fcm-token-1", "device": DEVICE}],
        "address": {"region": "North", "town": "Exampleton", "address": "1 Sample St", "postcode": "10001"},
        "fields": [{"id": level, "value": "gold"}],
        "externalCustomerId": "CRM-1001",
        "contactKey": "k-1001",
        "languageCode": "en",
        "timeZone": "Europe/London",
    }
    sent = {"id": 23456789, **example, "addressBookId": 7200}
    sent["groups"] = [{"id": 200400, "name": "Customers", "type": "Static"}]
    contact_id = int(ok(await api.post("/api/v1/contact", sent)).json()["id"])
    assert contact_id != 23456789
    found = await read(api, contact_id)
    (group,) = found.pop("groups")
    assert (group["name"], group["type"], type(group["id"])) == ("Customers", "Static", int)
    assert found.pop("addressBookId") == int(book["addressBookId"])
    assert found == {"id": contact_id, **example}


async def test_members_without_a_value_are_left_out_never_null(api: Api) -> None:
    contact_id = await add(api)
    assert set(await read(api, contact_id)) <= {"id", "channels", "addressBookId"}
    (row,) = ok(await api.get("/api/v1/contacts")).json()
    assert set(row) <= {"id", "channels", "addressBookId"}


async def test_an_id_in_the_body_is_ignored_on_create_and_update(api: Api) -> None:
    one, other = await add(api), await add(api, PHONE)
    sentence(await api.put(f"/api/v1/contact/{one}", {"id": other, "firstName": "Anna"}))
    assert (await read(api, one))["firstName"] == "Anna"
    assert "firstName" not in await read(api, other)
    assert await add(api, MAIL, id=other, firstName="Olha") == one


NAMES = (
    "A" * 40,
    "Ганна",
    "José María",
    "O'Neil",
    "Anna-Maria",
    "Anna - Maria",
    "Dr. Anna",
    "Anna 123",
    "De la Rosa",
    "Anna Maria Sofia",
)
NO_NAMES = (
    "A" * 41,
    "Anna 1234",
    "12",
    "...",
    "'Anna",
    "Anna!",
    "Anna. K",
    "Anna Maria Sofia Olha",
    "A B C D",
)


async def test_names_that_are_taken_and_refused(api: Api) -> None:
    for name in NAMES:
        contact_id = await add(api, firstName=name, lastName=name)
        found = await read(api, contact_id)
        assert (found["firstName"], found["lastName"]) == (name, name)
    for name in NO_NAMES:
        assert await refuse(api, firstName=name), name
    for name in NO_NAMES[:7]:
        assert "lastName" in await refuse(api, lastName=name), name


@pytest.mark.parametrize("channels", [[], None, {}, [{"type": "email"}], [{"type": "email", "value": " "}]])
async def test_at_least_one_channel_is_required(api: Api, channels: Any) -> None:
    assert "channels" in refused(
        await api.post("/api/v1/contact", {"firstName": "Anna", "channels": channels})
    )
    assert await api.rows("select 1 from contact where org_id = %(org_id)s") == []


async def test_one_email_and_one_phone_are_kept(api: Api) -> None:
    contact_id = await add(
        api, MAIL, {**MAIL, "value": "b@example.com"}, PHONE, {**PHONE, "value": "380509998877"}
    )
    assert (await read(api, contact_id))["channels"] == [MAIL, PHONE]


TOKENS = ("mobilepush", "webpush", "appinbox", "widget", "inapp", "telegram")


async def test_every_type_of_channel(api: Api) -> None:
    sent = [MAIL, PHONE, *({"type": kind, "value": f"{kind}-token"} for kind in TOKENS)]
    found = (await read(api, await add(api, *sent)))["channels"]
    shown = [(one["type"], one["value"]) for one in found]
    assert sorted(shown) == sorted((one["type"], one["value"]) for one in sent)
    viber = await add(api, {"type": "viber", "value": "380671112233"})
    assert (await read(api, viber))["channels"][0]["value"] == "380671112233"
    assert "channels.type" in refused(
        await api.post("/api/v1/contact", {"channels": [{"type": "fax", "value": "1"}]})
    )


async def test_a_device_is_active_unless_said_otherwise(api: Api) -> None:
    about = {name: value for name, value in DEVICE.items() if name != "active"}
    contact_id = await add(api, {"type": "mobilepush", "value": "t", "device": about})
    assert (await read(api, contact_id))["channels"][0]["device"] == DEVICE
    other = await add(api, {"type": "mobilepush", "value": "u", "device": {**DEVICE, "active": "false"}})
    assert (await read(api, other))["channels"][0]["device"]["active"] is False


async def test_the_model_of_a_device_at_and_above_its_length(api: Api) -> None:
    def token(model: str) -> dict[str, Any]:
        return {"type": "mobilepush", "value": "t", "device": {**DEVICE, "deviceModel": model}}

    found = await read(api, await add(api, token("m" * 50)))
    assert found["channels"][0]["device"]["deviceModel"] == "m" * 50
    assert "deviceModel" in refused(await api.post("/api/v1/contact", {"channels": [token("m" * 51)]}))


async def test_a_web_push_subscription(api: Api) -> None:
    about = {
        "appId": 7,
        "userAgent": "Firefox",
        "userAgentVersion": "139.0",
        "userAgentLanguage": "en",
        "os": "Linux",
        "ip": "192.0.2.7",
        "subscriptionPage": "https://shop.example.com/",
        "swActiveVersion": "3",
    }
    channel = {"type": "webpush", "value": "wp-1", "webPushSubscription": about}
    assert (await read(api, await add(api, channel)))["channels"] == [channel]


@pytest.mark.parametrize("member", ["region", "town", "address", "postcode"])
async def test_an_address_with_any_member_is_answered_with_all_four(api: Api, member: str) -> None:
    contact_id = await add(api, address={member: "x"})
    all_four = dict.fromkeys(("region", "town", "address", "postcode"), "") | {member: "x"}
    assert (await read(api, contact_id))["address"] == all_four


async def test_groups_are_static_ones_and_a_missing_one_is_made_by_its_name(api: Api) -> None:
    contact_id = await add(api, groups=[{"name": "News"}, {"name": "Club", "type": "Static"}])
    assert {(one["name"], one["type"]) for one in (await read(api, contact_id))["groups"]} == {
        ("News", "Static"),
        ("Club", "Static"),
    }
    await add(api, PHONE, groups=[{"name": "News"}])
    assert len(ok(await api.get("/api/v1/groups")).json()) == 2


async def test_orders_info_is_returned_only_if_set_this_way(api: Api) -> None:
    info = {"lastDate": "2025-05-04T10:11:12", "count": 7}
    assert (await read(api, await add(api, ordersInfo=info)))["ordersInfo"] == info
    assert "ordersInfo" not in await read(api, await add(api, PHONE))


async def test_another_catalogue_is_accepted_and_ignored(api: Api) -> None:
    first = (await read(api, await add(api, addressBookId=1))).get("addressBookId")
    second = (await read(api, await add(api, PHONE, addressBookId=999)))["addressBookId"]
    assert first == second


KINDS: tuple[tuple[str, tuple[tuple[Any, str], ...], tuple[Any, ...]], ...] = (
    ("textfield", (("x" * 999, "x" * 999), ("x" * 1000, "x" * 1000)), ("x" * 1001,)),
    ("textarea", (("x" * 5000, "x" * 5000),), ("x" * 5001,)),
    (
        "number",
        ((-2147483648, "-2147483648"), ("2147483647", "2147483647")),
        (-2147483649, 2147483648, "x"),
    ),
    ("decimal", (("1.5", "1.5"),), ("x",)),
    (
        "date",
        (
            ("1990-12-31", "1990-12-31"),
            ("31/12/1990", "1990-12-31"),
            ("31.12.90", "1990-12-31"),
            ("31.12.1990", "1990-12-31"),
        ),
        ("31-12-1990", "1990-02-30"),
    ),
    ("datetime", (("2025-03-08T09:30", "2025-03-08T09:30"),), ("soon",)),
    ("combobox", (("red", "red"),), ("green",)),
    ("checkboxlist", (("red,blue", "red,blue"), ("red", "red")), ("green",)),
)


@pytest.mark.parametrize(("kind", "taken", "left"), KINDS, ids=[kind for kind, _, _ in KINDS])
async def test_values_of_additional_fields(
    api: Api, kind: str, taken: tuple[tuple[Any, str], ...], left: tuple[Any, ...]
) -> None:
    number = await field(api, kind, ["red", "blue"] if kind in ("combobox", "checkboxlist") else [])
    for place, (value, shown) in enumerate(taken):
        contact_id = await add(
            api, {**MAIL, "value": f"t{place}@example.com"}, fields=[{"id": number, "value": value}]
        )
        assert (await read(api, contact_id))["fields"] == [{"id": number, "value": shown}]
    for place, value in enumerate(left):
        contact_id = await add(
            api, {**MAIL, "value": f"l{place}@example.com"}, fields=[{"id": number, "value": value}]
        )
        assert "fields" not in await read(api, contact_id)


async def test_search_rows_are_the_full_contact(api: Api) -> None:
    level = (await ids_by_key(api))["LEVEL"]
    contact_id = await add(api, externalCustomerId="CRM-1", fields=[{"id": level, "value": "gold"}])
    assert ok(await api.get("/api/v1/contacts")).json() == [await read(api, contact_id)]


# 7.2


async def test_post_contact_finds_by_external_id_and_restores(api: Api) -> None:
    contact_id = await add(api, externalCustomerId="CRM-1")
    assert await add(api, PHONE, externalCustomerId="CRM-1") == contact_id
    sentence(await api.delete(f"/api/v1/contact/{contact_id}"))
    assert await add(api, PHONE, externalCustomerId="CRM-1", firstName="Anna") == contact_id
    assert (await read(api, contact_id))["firstName"] == "Anna"
    assert await add(api, externalCustomerId="CRM-2", firstName="Anna") != contact_id


async def test_post_contact_without_external_id_finds_by_any_channel(api: Api) -> None:
    token = {"type": "mobilepush", "value": "t", "device": DEVICE}
    ids = [await add(api, channel) for channel in (MAIL, PHONE, token)]
    assert len(set(ids)) == 3
    assert [await add(api, channel, firstName="Anna") for channel in (MAIL, PHONE, token)] == ids
    assert await add(api, {**MAIL, "value": "new@example.com"}) not in ids


async def test_put_goes_by_the_path_only_and_anothers_external_id_is_an_error(api: Api) -> None:
    one, other = await add(api, externalCustomerId="A"), await add(api, PHONE, externalCustomerId="B")
    assert "externalCustomerId" in refused(
        await api.put(f"/api/v1/contact/{one}", {"externalCustomerId": "B"})
    )
    assert (await read(api, one))["externalCustomerId"] == "A"
    sentence(await api.delete(f"/api/v1/contact/{other}"))
    sentence(await api.put(f"/api/v1/contact/{other}", {"firstName": "Anna"}))
    assert (await read(api, other))["firstName"] == "Anna"


async def test_subscribe_finds_by_external_id_then_email_then_phone_and_keeps_channels(api: Api) -> None:
    by_id, by_mail = (
        await add(api, externalCustomerId="A"),
        await add(api, {**MAIL, "value": "b@example.com"}),
    )
    by_phone = await add(api, PHONE)

    async def form(*channels: dict[str, Any], **members: Any) -> int:
        body = {"contact": {"channels": list(channels), **members}}
        return int(ok(await api.post("/api/v1/contact/subscribe", body)).json()["id"])

    other = {**MAIL, "value": "b@example.com"}
    assert await form(other, externalCustomerId="A") == by_id
    assert await form(other, {**PHONE, "value": "380671112233"}) == by_mail
    assert await form({**MAIL, "value": "c@example.com"}, PHONE) == by_phone
    assert (await read(api, by_id))["channels"][0] == MAIL


async def test_an_order_makes_a_contact_and_changes_none(api: Api) -> None:
    contact_id = await add(api, firstName="Anna")
    order = {
        "externalOrderId": "SO-1",
        "totalCost": 1,
        "status": "DELIVERED",
        "date": "2025-05-04T10:11:10Z",
        "email": "anna@example.com",
        "firstName": "Olha",
    }
    fresh = {**order, "externalOrderId": "SO-2", "email": "new@example.com", "phone": "380671112233"}
    empty(await api.post("/api/v1/orders", {"orders": [order, fresh]}))
    assert (await read(api, contact_id))["firstName"] == "Anna"
    (made,) = ok(await api.get("/api/v1/contacts?email=new@example.com")).json()
    assert (made["firstName"], [one["value"] for one in made["channels"]]) == (
        "Olha",
        ["new@example.com", "380671112233"],
    )


async def test_sending_to_an_unknown_address_makes_a_confirmed_contact_with_that_channel_only(
    api: Api,
) -> None:
    template = {"name": "x", "from": '"A" <a@example.com>', "subject": "x", "htmlText": "<p>x</p>"}
    message_id = ok(await api.post("/api/v1/messages/email", template)).json()["id"]
    body = {"recipients": [{"locator": "new@example.com"}]}
    ok(await api.post(f"/api/v1/message/{message_id}/smartsend", body))
    (made,) = ok(await api.get("/api/v1/contacts?email=new@example.com")).json()
    assert {name: value for name, value in made.items() if name not in ("id", "addressBookId")} == {
        "channels": [{"type": "email", "value": "new@example.com"}]
    }
    assert await api.rows(
        "select confirmed from address where org_id = %(org_id)s and value = 'new@example.com'"
    ) == [(True,)]
