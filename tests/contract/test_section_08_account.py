"""Contract 8: the account, its version, its balance and tokens for events."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from perigee.settings import Settings
from perigee.testing.api import SETTINGS, Api
from perigee.testing.wire import empty, ok, refused


async def test_who_am_i(api: Api) -> None:
    info = ok(await api.get("/api/v1/account/info")).json()
    assert info == {
        "userEmail": "owner@example.example.com",
        "organisationName": "Example Shop",
        "orgId": api.org_id,
    }
    assert type(info["orgId"]) is int


async def test_a_key_is_tested_by_its_status(api: Api) -> None:
    assert (await api.get("/api/v1/account/info")).status_code == 200
    assert (await api.get("/api/v1/account/info", key="wrong")).json()["status"] == 401


async def test_with_a_key_the_makers_address_is_shown_whatever_the_user_name(api: Api) -> None:
    answer = ok(await api.client.get("/api/v1/account/info", auth=("api-user162065", api.key)))
    assert answer.json()["userEmail"] == "owner@example.example.com"


@pytest.mark.parametrize("version", [1, 2])
async def test_the_version_is_two_texts(api: Api, version: int) -> None:
    found = ok(await api.get(f"/api/v{version}/version")).json()
    assert set(found) == {"version", "protocolVersion"}
    assert found["protocolVersion"] == "1.0"
    assert isinstance(found["version"], str)
    assert found["version"]


async def test_the_balance_has_its_members_and_no_empty_ones(api: Api) -> None:
    found = ok(await api.get("/api/v1/balance")).json()
    assert {name: type(value) for name, value in found.items()} == {
        "currentBalance": float,
        "creditLimit": float,
        "currency": str,
        "bonusEmails": int,
        "bonusSmses": int,
    }


async def test_the_example_of_a_balance(api: Api) -> None:
    shown = {
        "currentBalance": 120.5,
        "creditLimit": 0.0,
        "bonusEmails": 2500,
        "bonusSmses": 10,
        "sendersReservedBalances": {"viber": [{"senderId": 5, "balance": 10.0, "senderName": "Example"}]},
    }
    await api.rows("update organisation set currency = 'EUR' where org_id = %(org_id)s")
    await api.rows(
        "update organisation set settings = jsonb_build_object('balance', %(shown)s::jsonb) where org_id = %(org_id)s",
        shown=json.dumps(shown),
    )
    assert ok(await api.get("/api/v1/balance")).json() == {**shown, "currency": "EUR"}


async def test_an_empty_map_of_reserved_money_is_left_out(api: Api) -> None:
    await api.rows(
        """update organisation set settings = '{"balance": {"sendersReservedBalances": {}}}' where org_id = %(org_id)s"""
    )
    assert "sendersReservedBalances" not in ok(await api.get("/api/v1/balance")).json()


@pytest.mark.parametrize("currency", ["UAH", "USD", "EUR"])
async def test_the_currency_is_the_organisations(api: Api, currency: str) -> None:
    await api.rows("update organisation set currency = %(c)s where org_id = %(org_id)s", c=currency)
    assert ok(await api.get("/api/v1/balance")).json()["currency"] == currency
    assert ok(await api.get("/api/v1/balance/history")).json() == {"currency": currency, "dailyCosts": []}


MAIL: dict[str, Any] = {
    "from": '"Example" <news@example.com>',
    "subject": "Hello",
    "htmlText": "<p>Hello</p>",
    "emails": ["anna@example.com"],
}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("dateFrom=2026-01-01&dateTo=2026-01-01", 200),
        ("dateFrom=2026-01-02&dateTo=2026-01-01", 400),
        ("dateFrom=2026-01-01&dateTo=2026-03-31", 200),
        ("dateFrom=2026-01-01&dateTo=2026-04-01", 200),
        ("dateFrom=2026-01-01&dateTo=2026-04-02", 419),
        ("dateFrom=2026-13-01", 400),
        ("dateTo=tomorrow", 400),
        ("dateFrom=&dateTo=", 200),
    ],
)
async def test_the_period_of_the_history(api: Api, query: str, status: int) -> None:
    answer = await api.get(f"/api/v1/balance/history?{query}")
    if status == 200:
        assert ok(answer).json()["dailyCosts"] == []
    else:
        assert refused(answer, status)


class TestTokens:
    @pytest.fixture
    def settings(self) -> Settings:
        return dataclasses.replace(SETTINGS, api_token_days=7)

    async def test_a_token_is_a_quoted_text_made_with_basic_only_and_lives_as_set(self, api: Api) -> None:
        answer = ok(await api.post("/api/v1/auth/token"))
        token = answer.json()
        assert isinstance(token, str)
        assert answer.text == f'"{token}"'
        bearer = {"Authorization": f"Bearer {token}"}
        refused(await api.post("/api/v1/auth/token", key="", headers=bearer), 403)
        refused(await api.post("/api/v1/auth/token", key=""), 401)
        assert await api.rows(
            "select round(extract(epoch from expires_at - now()) / 3600) from api_token where org_id = %(org_id)s"
        ) == [(7 * 24,)]
        event = {
            "eventTypeKey": "a",
            "keyValue": "1",
            "params": [{"name": "email", "value": "a@example.com"}],
        }
        empty(await api.post("/api/v1/event", event, key="", headers=bearer))
        assert await api.rows("select count(*) from event where org_id = %(org_id)s") == [(1,)]


async def test_a_token_lives_thirty_days_by_default() -> None:
    assert Settings(home=SETTINGS.home).api_token_days == 30
