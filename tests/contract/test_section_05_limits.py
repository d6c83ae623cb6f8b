"""Contract 5: amounts, each just below, at and above; every one a setting. How calls a second are counted is tested
in `perigee/http/tests/test_rates.py`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from perigee.esputnik.limits import rates
from perigee.settings import Settings
from perigee.testing.api import SETTINGS, Api
from perigee.testing.wire import empty, ok, refused

DEFAULTS = Settings(home=SETTINGS.home)


def mail(number: int) -> dict[str, Any]:
    return {"channels": [{"type": "email", "value": f"p{number}@example.com"}]}


def order(number: int) -> dict[str, Any]:
    return {
        "externalOrderId": f"SO-{number}",
        "totalCost": 1,
        "status": "DELIVERED",
        "date": "2025-05-04T10:11:10+03:00",
        "email": "anna@example.com",
    }


def event(number: int) -> dict[str, Any]:
    params = [{"name": "email", "value": "anna@example.com"}]
    return {
        "eventTypeKey": "past",
        "keyValue": str(number),
        "occurred": "2026-10-02T03:04:05Z",
        "params": params,
    }


def bulk(count: int) -> dict[str, Any]:
    return {"contacts": [mail(n) for n in range(count)], "dedupeOn": "email"}


@pytest.mark.parametrize(
    ("method", "path", "amounts"),
    [
        ("GET", "/v1/account/info", {(200, 1)}),
        ("POST", "/v1/orders", {(200, 1)}),
        ("GET", "/v1/contacts", {(50, 1)}),
        ("GET", "/v1/contact/token/{app}/{token}/contactId", {(150, 1)}),
        ("POST", "/v1/event", {(350, 1)}),
        ("POST", "/v2/event", {(350, 1)}),
        ("POST", "/v3/event", {(350, 1)}),
        ("POST", "/v1/past_events", {(100, 1)}),
        ("DELETE", "/v1/past_events", {(5, 1)}),
        ("PUT", "/v1/interactions/{id}/status", {(300, 1)}),
        ("GET", "/v2/contacts/messages", {(10, 1)}),
        ("GET", "/v1/messages/email/{id}", {(10, 1), (500, 3600)}),
        ("GET", "/v1/messages/email/{id}/viewLink", {(500, 3600)}),
        ("GET", "/v1/messages/sms", {(500, 3600)}),
        ("GET", "/v1/messages/telegram/{id}", {(500, 3600)}),
    ],
)
def test_calls_a_second_as_documented(method: str, path: str, amounts: set[tuple[int, int]]) -> None:
    assert {(rate.amount, rate.seconds) for rate in rates(DEFAULTS, method, path)} == amounts


def test_every_amount_is_a_setting_with_the_documented_default() -> None:
    documented = {
        "max_contacts_per_call": 3000,
        "max_orders_per_call": 1000,
        "max_ids_per_call": 500,
        "max_recipients_per_call": 1000,
        "max_past_events_per_call": 500,
        "max_history_rows": 100,
        "max_event_body_kb": 20,
        "max_import_file_mb": 100,
        "app_inbox_messages": 1000,
    }
    assert {name: getattr(DEFAULTS, name) for name in documented} == documented


CALLS: dict[str, tuple[int, Callable[[int], tuple[str, dict[str, Any]]]]] = {
    "contacts": (3000, lambda n: ("/api/v1/contacts", bulk(n))),
    "orders": (1000, lambda n: ("/api/v1/orders", {"orders": [order(i) for i in range(n)]})),
    "past events": (500, lambda n: ("/api/v2/past_events", {"events": [event(i) for i in range(n)]})),
}


@pytest.mark.parametrize("name", CALLS)
async def test_elements_of_one_call_at_and_above_the_limit(api: Api, name: str) -> None:
    most, call = CALLS[name]
    ok(await api.post(*call(most)))
    assert str(most) in refused(await api.post(*call(most + 1)))


@pytest.mark.parametrize("action", ["attach", "detach"])
async def test_ids_of_one_call_at_and_above_the_limit(api: Api, action: str) -> None:
    contact_id = ok(await api.post("/api/v1/contact", {**mail(1), "groups": [{"name": "News"}]})).json()["id"]
    (group,) = ok(await api.get("/api/v1/groups")).json()
    path = f"/api/v1/group/{group['id']}/contacts/{action}"
    refused(await api.post(path, {"contactIds": [contact_id + n for n in range(501)]}))
    answer = await api.post(path, {"contactIds": [contact_id + n for n in range(500)]})
    assert answer.status_code == 200, answer.text


async def test_recipients_of_smartsend_at_and_above_the_limit(api: Api) -> None:
    template = {"name": "x", "from": '"A" <a@example.com>', "subject": "x", "htmlText": "<p>x</p>"}
    message_id = ok(await api.post("/api/v1/messages/email", template)).json()["id"]
    path = f"/api/v1/message/{message_id}/smartsend"
    people = [{"locator": f"p{number}@example.com"} for number in range(1001)]
    assert "1000" in refused(await api.post(path, {"recipients": people}))
    assert len(ok(await api.post(path, {"recipients": people[:1000]})).json()["results"]) == 1000


async def test_pages_hold_500_rows_at_most(api: Api) -> None:
    ok(await api.post("/api/v1/contacts", {**bulk(501), "groupNames": ["All"]}))
    await api.run_jobs()
    (group,) = ok(await api.get("/api/v1/groups")).json()
    for path in ("/api/v1/contacts", f"/api/v1/group/{group['id']}/contacts"):
        for rows, found in ((499, 499), (500, 500), (501, 500), (None, 500)):
            answer = ok(await api.get(path if rows is None else f"{path}?maxrows={rows}"))
            assert (len(answer.json()), answer.headers["TotalCount"]) == (found, "501")


async def test_an_event_at_and_above_20_kb(api: Api) -> None:
    body = b'{"eventTypeKey":"viewed","keyValue":"1","params":[{"name":"email","value":"anna@example.com"}]}'
    headers = {"Content-Type": "application/json"}
    for version in (1, 2):
        path = f"/api/v{version}/event"
        empty(await api.post(path, content=body.ljust(20 * 1024), headers=headers))
        refused(await api.post(path, content=body.ljust(20 * 1024 + 1), headers=headers), 413)


@pytest.mark.parametrize(("member", "most"), [("eventTypeKey", 100), ("keyValue", 300), ("name", 100)])
async def test_keys_of_events_at_and_above_their_length(api: Api, member: str, most: int) -> None:
    def sent(length: int) -> dict[str, Any]:
        text = "k" * length
        params = [{"name": "email", "value": "anna@example.com"}]
        if member == "name":
            return {
                "eventTypeKey": "viewed",
                "keyValue": "1",
                "params": [*params, {"name": text, "value": "x"}],
            }
        return {"eventTypeKey": "viewed", "keyValue": "1", "params": params, member: text}

    empty(await api.post("/api/v2/event", sent(most)))
    answer = await api.post("/api/v2/event", sent(most + 1))
    assert answer.status_code == 400, answer.text
    assert len(await api.rows("select 1 from event where org_id = %(org_id)s")) == 1


FORBIDDEN = "<>;’\\/|\"`'^?!,"


async def test_forbidden_characters_and_those_in_use(api: Api) -> None:
    assert len(FORBIDDEN) == 14
    params = [{"name": "email", "value": "anna@example.com"}]
    for sign in FORBIDDEN:
        text = f"a{sign}b"
        for members in (
            {"eventTypeKey": text, "keyValue": "1"},
            {"eventTypeKey": "viewed", "keyValue": text},
        ):
            answer = await api.post("/api/v2/event", {**members, "params": params})
            assert answer.status_code == 400, (sign, members)
        refused(await api.post("/api/v1/contact/subscribe", {"contact": mail(1), "formType": text}))
        refused(await api.post("/api/v1/contacts", {**bulk(1), "eventKeyForNewContacts": text}))
    text = "Покинутий кошик 1"
    empty(await api.post("/api/v2/event", {"eventTypeKey": text, "keyValue": text, "params": params}))
    ok(await api.post("/api/v1/contact/subscribe", {"contact": mail(1), "formType": text}))
    ok(await api.post("/api/v1/contacts", {**bulk(1), "eventKeyForNewContacts": text}))


class TestSmallerAmounts:
    @pytest.fixture
    def settings(self) -> Settings:
        return dataclasses.replace(
            SETTINGS, rate_calls=2, max_contacts_per_call=2, max_orders_per_call=2, max_event_body_kb=1
        )

    async def test_over_a_rate_is_429_that_says_when_to_come_back(self, api: Api) -> None:
        answers = [await api.get("/api/v1/account/info") for _ in range(4)]
        assert refused(answers[-1], 429)
        assert int(answers[-1].headers["retry-after"]) >= 1

    async def test_amounts_follow_the_settings(self, api: Api) -> None:
        refused(await api.post("/api/v1/contacts", bulk(3)))
        refused(await api.post("/api/v1/orders", {"orders": [order(n) for n in range(3)]}))
        large = {**event(1), "params": [{"name": "x", "value": "y" * 1024}]}
        refused(await api.post("/api/v2/event", large), 413)
