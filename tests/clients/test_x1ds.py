"""x1ds, a client that runs on pages: it asks before it calls, and reads `error` of a refusal."""

from __future__ import annotations

import dataclasses
import json

import pytest

from perigee.settings import Settings
from perigee.testing.api import SETTINGS, Api
from perigee.testing.line import Line, basic

PAGE = "https://app.example.com"


@pytest.fixture
def settings() -> Settings:
    return dataclasses.replace(SETTINGS, cors_origins=PAGE)


async def test_a_browser_asks_without_credentials_and_may_then_call(api: Api, host: str) -> None:
    ask = {
        "Origin": PAGE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    allowed = await Line(host).call("OPTIONS", "/api/v1/contact", headers=ask)
    assert (allowed.status, allowed.any_case("Access-Control-Allow-Origin")) == (200, PAGE)
    assert allowed.any_case("Access-Control-Allow-Credentials") == "true"
    names = {
        name.strip().lower() for name in (allowed.any_case("Access-Control-Allow-Headers") or "").split(",")
    }
    assert {"authorization", "content-type"} <= names
    line = Line(host, Authorization=basic("", api.key), Content_Type="application/json", Origin=PAGE)
    contact = json.dumps({"channels": [{"type": "email", "value": "anna@example.com"}]}).encode()
    reply = await line.call("POST", "/api/v1/contact", contact)
    assert (reply.status, reply.any_case("Access-Control-Allow-Origin")) == (200, PAGE)
    found = await line.call("GET", "/api/v1/contacts")
    assert "TotalCount" in (found.any_case("Access-Control-Expose-Headers") or "")


async def test_a_refusal_has_an_error_that_a_page_may_read(host: str) -> None:
    reply = await Line(host, Origin=PAGE).call("GET", "/api/v1/account/info")
    assert (reply.status, reply.json()["error"]) == (401, "Unauthorized")
    assert reply.any_case("Access-Control-Allow-Origin") == PAGE


async def test_an_event_is_recorded_though_its_answer_is_no_json(api: Api, host: str) -> None:
    line = Line(host, Authorization=basic("", api.key), Content_Type="application/json", Origin=PAGE)
    reply = await line.call("POST", "/api/v1/event", b'{"eventTypeKey":"basket","keyValue":"1","params":[]}')
    assert (reply.status, reply.body) == (200, b"")
    assert await api.rows("select event_key from event where org_id = %(org_id)s") == [("1",)]
