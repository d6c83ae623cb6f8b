"""Contract section 16 on the wire: events as they happen, past events, and deleting those.

The tables of identifiers and of `contactJson` are beside the package `events`.
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from perigee.events.tests.conftest import Events
from perigee.settings import Settings
from perigee.testing.api import SETTINGS, Api
from perigee.testing.wire import data, empty, ok, refused

V1 = {
    "eventTypeKey": "orderShipped",
    "keyValue": "anna@example.com",
    "params": [
        {"name": "EmailAddress", "value": "anna@example.com"},
        {"name": "items", "value": '[{"name":"Mug"}]'},
    ],
}
MUG = {"name": "Mug", "price": 9.5, "url": "https://shop.example.com/mug"}
V2 = {
    "eventTypeKey": "AbandonedCart",
    "params": [{"name": "externalCustomerId", "value": "CRM-1001"}, {"name": "items", "value": [MUG]}],
}
V3_PARAMS = {
    "externalCustomerId": "CRM-1001",
    "cartId": "C-1",
    "totalValue": 250.75,
    "currency": "EUR",
    "itemCount": 3,
}
V3 = {"eventTypeKey": "AbandonedCart", "params": V3_PARAMS}
VERSIONS = pytest.mark.parametrize("version", [1, 2, 3])
FORBIDDEN = "<>;\u2019\\/|\"`'^?!,"


@pytest.fixture
def events(api: Api) -> Events:
    return Events(api)


@pytest.mark.parametrize(
    ("version", "body", "key", "params"),
    [
        (1, V1, "anna@example.com", {"EmailAddress": "anna@example.com", "items": '[{"name":"Mug"}]'}),
        (2, V2, "CRM-1001", {"externalCustomerId": "CRM-1001", "items": [MUG]}),
        (3, V3, "CRM-1001", V3_PARAMS),
    ],
)
async def test_the_example_of_each_version_is_recorded_and_answered_with_nothing(
    events: Events, version: int, body: dict[str, Any], key: str, params: dict[str, Any]
) -> None:
    empty(await events.api.post(f"/api/v{version}/event", body))
    ((type_key, event_key, _, stored, _),) = await events.stored()
    assert (type_key, event_key, stored) == (body["eventTypeKey"], key, params)


@VERSIONS
async def test_every_version_takes_an_array_and_an_object_and_neither(events: Events, version: int) -> None:
    pairs = [{"name": "email", "value": "anna@example.com"}, {"name": "n", "value": 1}]
    expected = {"email": "anna@example.com", "n": 1}
    for params in (pairs, expected):
        empty(await events.post(params, version))
    for params in (None, [], {}):
        empty(await events.post(params, version, keyValue="k"))
    assert [row[3] for row in await events.stored()] == [expected, expected, {}, {}, {}]


async def test_v1_takes_numbers_null_objects_and_arrays_as_values(events: Events) -> None:
    values = {"text": "x", "number": 7, "none": None, "object": {"a": [1]}, "list": [1, "2"]}
    pairs = [{"name": name, "value": value} for name, value in values.items()]
    empty(await events.post(pairs, 1, keyValue="k"))
    assert (await events.stored())[0][3] == values


async def test_the_member_may_be_named_parameters_beside_a_null_key(events: Events) -> None:
    body = {
        "eventTypeKey": "seen",
        "keyValue": None,
        "parameters": [{"name": "email", "value": "anna@example.com"}],
    }
    empty(await events.api.post("/api/v1/event", body))
    assert (await events.stored())[0][1] == "anna@example.com"


IDENTIFIERS = [
    ("contactId", "23456789"),
    ("externalCustomerId", "CRM-1001"),
    ("email", "anna@example.com"),
    ("phone", "380501112233"),
    ("pushToken", "fcm-token-1"),
]


@VERSIONS
async def test_the_key_is_derived_in_the_documented_order(events: Events, version: int) -> None:
    for first in range(len(IDENTIFIERS)):
        params = dict(reversed(IDENTIFIERS[first:]))
        empty(await events.post(params, version))
    assert [row[1] for row in await events.stored()] == [value for _, value in IDENTIFIERS]


@VERSIONS
async def test_neither_a_key_nor_an_identifier_is_refused(events: Events, version: int) -> None:
    refused(await events.post({"cartId": "C-1"}, version), 400, "keyValue")
    assert await events.stored() == []


@VERSIONS
@pytest.mark.parametrize("body", [{"keyValue": "k"}, {"eventTypeKey": "", "keyValue": "k"}])
async def test_the_type_is_required(api: Api, version: int, body: dict[str, Any]) -> None:
    refused(await api.post(f"/api/v{version}/event", body), 400, "eventTypeKey")


@VERSIONS
async def test_keys_and_names_have_their_longest(events: Events, version: int) -> None:
    for size in (99, 100):
        empty(await events.post({"p" * size: 1}, version, eventTypeKey="t" * size, keyValue="k"))
    for size in (299, 300):
        empty(await events.post({}, version, keyValue="k" * size))
    refused(await events.post({}, version, eventTypeKey="t" * 101, keyValue="k"), 400, "eventTypeKey", "100")
    refused(await events.post({}, version, keyValue="k" * 301), 400, "keyValue", "300")
    refused(await events.post({"p" * 101: 1}, version, keyValue="k"), 400, "params", "100")
    assert len(await events.stored()) == 4


@pytest.mark.parametrize("character", FORBIDDEN)
async def test_forbidden_characters_are_refused_in_both_keys(events: Events, character: str) -> None:
    refused(await events.post({}, eventTypeKey=f"a{character}b", keyValue="k"), 400, "eventTypeKey")
    refused(await events.post({}, keyValue=f"a{character}b"), 400, "keyValue")


async def test_cyrillic_letters_and_spaces_are_allowed(events: Events) -> None:
    empty(await events.post({}, eventTypeKey="Замовлення оплачено", keyValue="ключ 1"))
    assert (await events.stored())[0][:2] == ("Замовлення оплачено", "ключ 1")


async def test_v2_wants_names_once_and_both_members_of_a_pair(events: Events) -> None:
    twice = [{"name": "a", "value": 1}, {"name": "a", "value": 2}]
    refused(await events.post(twice, 2, keyValue="k"), 400, "'a'", "twice")
    refused(await events.post([{"name": "a"}], 2, keyValue="k"), 400, "params[0]")
    refused(await events.post([{"value": "a"}], 2, keyValue="k"), 400, "params[0]")
    assert await events.stored() == []


@VERSIONS
@pytest.mark.parametrize("external", ["", "   ", "null", None])
async def test_an_empty_external_id_is_ignored(events: Events, version: int, external: Any) -> None:
    empty(await events.post({"externalCustomerId": external, "email": "anna@example.com"}, version))
    assert [row[1:3] for row in await events.contacts()] == [(None, "anna@example.com")]
    assert (await events.stored())[0][1] == "anna@example.com"


@VERSIONS
async def test_a_body_has_20_kilobytes_at_most(events: Events, version: int) -> None:
    def body(size: int) -> bytes:
        start, end = b'{"eventTypeKey":"seen","keyValue":"k","params":{"note":"', b'"}}'
        return start + b"x" * (size - len(start) - len(end)) + end

    for size, status in ((20_479, 200), (20_480, 200), (20_481, 413)):
        answer = await events.api.post(
            f"/api/v{version}/event", content=body(size), headers={"content-type": "application/json"}
        )
        ok(answer, status)
    assert len(await events.stored()) == 2


@pytest.mark.parametrize(
    ("column", "value", "names"),
    [
        ("email", "anna@example.com", ["Email", "EmailAddress", "UserEmail", "ContactEmail", "EMAIL"]),
        ("phone", "380501112233", ["Phone", "SMS", "PhoneNumber", "sms"]),
        ("external_id", "CRM-1001", ["externalCustomerId", "EXTERNALCUSTOMERID"]),
        ("contact_key", "k-1001", ["ContactKey", "Contact_key", "contactkey"]),
    ],
)
async def test_the_contact_is_found_by_every_documented_name(
    events: Events, column: str, value: str, names: list[str]
) -> None:
    anna = await events.add_contact(**{column: value})
    for name in names:
        empty(await events.post({name: value}, keyValue="k"))
    assert [row[2] for row in await events.stored()] == [anna] * len(names)


async def test_the_contact_is_found_by_our_own_id_and_by_its_push_token(events: Events) -> None:
    device = {"type": "mobilepush", "value": "fcm-token-1", "device": {"appId": "1111"}}
    anna = data(await events.api.post("/api/v1/contact", {"channels": [device]}))["id"]
    for params in ({"ContactId": anna}, {"Contact_id": str(anna)}, {"PushToken": "fcm-token-1"}):
        empty(await events.post(params))
    assert [row[2] for row in await events.stored()] == [anna] * 3


async def test_a_type_may_name_a_parameter_of_its_own(events: Events) -> None:
    await events.set_type("seen", contact_param="buyer")
    anna = await events.add_contact(external_id="CRM-1001")
    empty(await events.post({"Buyer": "CRM-1001"}, keyValue="k"))
    assert (await events.stored())[0][2] == anna


async def test_only_for_types_of_segmentation_the_event_is_kept_with_its_contact(events: Events) -> None:
    anna = await events.add_contact(email="anna@example.com")
    await events.set_type("closed", use_for_segments=False)
    for kind in ("seen", "closed"):
        empty(await events.post({"email": "anna@example.com"}, eventTypeKey=kind))
    assert [(row[0], row[2]) for row in await events.stored()] == [("seen", anna), ("closed", None)]


CONTACT_JSON: dict[str, Any] = {
    "firstname": "Anna",
    "lastname": "Koval",
    "sms": "380501112233",
    "town": "Kyiv",
    "timeZone": "Europe/Kyiv",
    "languageCode": "uk",
    "profileInputs": [{"profileInputId": 10001, "value": "x"}],
    "confirmed": False,
}


@VERSIONS
async def test_a_contact_json_is_validated_and_the_refusal_names_fields_and_reasons(
    events: Events, version: int
) -> None:
    empty(await events.post({"email": "anna@example.com", "contactJson": CONTACT_JSON}, version))
    bad = {**CONTACT_JSON, "sms": "12", "timeZone": "Mars/Base"}
    message = refused(await events.post({"email": "a@example.com", "contactJson": bad}, version), 400)
    assert "sms: '12'" in message
    assert "timeZone: 'Mars/Base'" in message
    assert len(await events.stored()) == 1


STRUCTURE = '[{"name": "EmailAddress", "required": true}, {"name": "Name", "required": false}]'


@VERSIONS
async def test_an_event_of_the_wrong_structure_is_told_what_the_right_one_is(
    events: Events, version: int
) -> None:
    await events.set_type("seen", validate_params=True, params=STRUCTURE)
    answer = await events.post({"Name": "Anna"}, version, keyValue="k")
    assert answer.status_code == 400
    if version == 3:
        assert answer.json() == {"params": {"EmailAddress": {"required": True}, "Name": {"required": False}}}
    else:
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.text == (
            "The event should have the following params: "
            '[{"name":"EmailAddress","required":true},{"name":"Name","required":false}]'
        )
    empty(await events.post({"EmailAddress": "anna@example.com"}, version))
    assert len(await events.stored()) == 1


async def test_a_type_that_does_not_validate_takes_any_structure(events: Events) -> None:
    await events.set_type("seen", validate_params=False, params=STRUCTURE)
    empty(await events.post({"Name": "Anna"}, keyValue="k"))


# Past events

PAST = {
    "eventTypeKey": "lessonDone",
    "keyValue": "anna@example.com",
    "occurred": "2025-03-22T14:30",
    "params": {"email": "anna@example.com"},
}


def past(**members: Any) -> dict[str, Any]:
    given = {**PAST, "occurred": ago(minutes=1), **members}
    return {name: value for name, value in given.items() if value is not None}


def ago(**time: float) -> str:
    return (datetime.now(UTC) - timedelta(**time)).isoformat()


@VERSIONS
async def test_the_example_of_each_version_of_past_events_is_accepted(events: Events, version: int) -> None:
    anna = await events.add_contact(email="anna@example.com")
    params: Any = PAST["params"]
    if version < 3:
        params = [{"name": "email", "value": "anna@example.com"}]
    late = past(occurred="2199-01-01T00:00")
    answer = data(await events.past({**PAST, "params": params}, late, version=version))
    assert answer == {
        "results": [{"status": "ACCEPTED"}, {"status": "OCCURRED_TIME_IN_FUTURE"}],
        "successCount": 1,
        "errorCount": 1,
    }
    assert await events.stored() == [("lessonDone", "anna@example.com", anna, PAST["params"], "past")]
    assert await events.api.rows("select occurred_at from event where org_id = %(org_id)s") == [
        (datetime(2025, 3, 22, 14, 30, tzinfo=UTC),)
    ]


@pytest.mark.parametrize(
    ("members", "status"),
    [
        ({}, "ACCEPTED"),
        ({"occurred": str(datetime.now(UTC).date() - timedelta(days=1))}, "ACCEPTED"),
        ({"occurred": None}, "OCCURRED_DATE_IS_REQUIRED"),
        ({"occurred": "22.03.2025"}, "INCORRECT_OCCURRED_DATE_FORMAT"),
        ({"occurred": ago(days=729)}, "ACCEPTED"),
        ({"occurred": ago(days=731)}, "OCCURRED_TIME_TOO_DEPTH"),
        ({"occurred": ago(days=-1)}, "OCCURRED_TIME_IN_FUTURE"),
        ({"eventTypeKey": "closed"}, "EVENT_SEGMENTATION_DISABLED"),
        ({"eventTypeKey": None}, "SERVER_ERROR"),
        ({"keyValue": None, "params": {}}, "SERVER_ERROR"),
    ],
)
async def test_a_past_event_has_its_status(events: Events, members: dict[str, Any], status: str) -> None:
    await events.set_type("closed", use_for_segments=False)
    answer = data(await events.past(past(**members)))
    good = status == "ACCEPTED"
    assert answer["results"][0]["status"] == status
    assert (answer["successCount"], answer["errorCount"]) == (int(good), int(not good))
    assert len(await events.stored()) == int(good)


async def test_past_events_start_no_workflow_and_make_no_contact(events: Events) -> None:
    assert data(await events.past(past()))["successCount"] == 1
    assert await events.contacts() == []
    (queued,) = await events.api.rows(
        "select count(*) from procrastinate_jobs where task_name like 'workflow%%'"
    )
    assert queued == (0,)


@VERSIONS
async def test_500_past_events_are_the_most(events: Events, version: int) -> None:
    for count in (499, 500):
        answer = data(await events.past(*[past()] * count, version=version))
        assert (answer["successCount"], len(answer["results"])) == (count, count)
    refused(await events.past(*[past()] * 501, version=version), 400, "500")
    assert len(await events.stored()) == 999


@pytest.mark.parametrize("way", ["body", "query"])
async def test_a_period_is_deleted_with_both_its_ends(events: Events, way: str) -> None:
    moments = ["2025-02-28T23:59", "2025-03-01T00:00", "2025-03-15", "2025-03-31T23:59", "2025-04-01T00:00"]
    assert (
        data(await events.past(*(past(keyValue=one, occurred=one) for one in moments)))["successCount"] == 5
    )
    period = {"from": "2025-03-01T00:00", "to": "2025-03-31T23:59"}
    if way == "body":
        answer = await events.api.delete("/api/v1/past_events", period)
    else:
        answer = await events.api.delete("/api/v1/past_events", params=period)
    empty(answer)
    assert {row[1] for row in await events.stored()} == {moments[0], moments[-1]}


@pytest.mark.parametrize(
    "period",
    [
        {},
        {"from": "2025-03-01T00:00"},
        {"to": "2025-03-01T00:00"},
        {"from": "bad", "to": "2025-03-01"},
        {"from": "2025-03-02", "to": "2025-03-01"},
    ],
)
async def test_a_bad_period_is_refused_and_deletes_nothing(events: Events, period: dict[str, str]) -> None:
    data(await events.past(past()))
    refused(await events.api.delete("/api/v1/past_events", period), 400)
    assert len(await events.stored()) == 1


async def test_events_are_not_sent_again(api: Api) -> None:
    refused(await api.get("/api/v1/event?eventTypeId=1&start=2025-01-01&end=2025-01-02"), 404)


class TestRates:
    @pytest.fixture
    def settings(self) -> Settings:
        return dataclasses.replace(SETTINGS, rate_event=2, rate_past_events=2, rate_past_events_deletion=2)

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "v1/event"),
            ("POST", "v2/event"),
            ("POST", "v3/event"),
            ("POST", "v1/past_events"),
            ("DELETE", "v1/past_events"),
        ],
    )
    async def test_a_rate_of_its_own_says_when_it_is_used_up(self, api: Api, method: str, path: str) -> None:
        for _ in range(40):
            answer = await api.call(method, f"/api/{path}", {})
            if answer.status_code == 429:
                break
        refused(answer, 429)
        assert int(answer.headers["Retry-After"]) >= 1


def test_the_default_limits_are_those_of_the_contract() -> None:
    defaults = Settings(home=SETTINGS.home, secret_key="-")
    assert (defaults.rate_event, defaults.rate_past_events, defaults.rate_past_events_deletion) == (
        350,
        100,
        5,
    )
    assert (defaults.max_past_events_per_call, defaults.max_event_body_kb) == (500, 20)
