"""Domains at which nothing answers (contract 23.6, 25.7), where the operator has them checked."""

from __future__ import annotations

import dataclasses

import pytest
from aiohttp import web

from perigee.errors import Conflict, Invalid
from perigee.lib.outside import Outside, Rules
from perigee.lib.public_addresses import parse_networks
from perigee.push.reach import reached
from perigee.push.types import WebPushDomain
from perigee.settings import Settings
from perigee.testing.api import SETTINGS, Api
from perigee.testing.outside import Names, web_server

HERE = Rules(parse_networks("127.0.0.0/8"), None)


@pytest.fixture
def settings() -> Settings:
    return dataclasses.replace(SETTINGS, check_domains="on")


async def test_any_answer_will_do_and_none_will_not() -> None:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(status=503)

    async with (
        web_server(handler) as port,
        Outside(HERE, resolver=Names(a_example=[["127.0.0.1"]])) as outside,
    ):
        there = WebPushDomain(f"http://a.example:{port}", "sw.js", "/", "/")
        unknown = WebPushDomain(f"http://b.example:{port}", "sw.js", "/", "/")
        bad = Invalid("domain: is required")
        first, second, third = await reached(HERE, [there, unknown, bad], outside=outside)
    assert (first, third) == (there, bad)
    assert isinstance(second, Conflict)
    assert second.message == "Domain can't be reached"


async def test_a_domain_that_is_not_reached_is_not_stored(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perigee.lib.outside.ThreadedResolver", Names)
    domain = "https://shop.example.com"
    body = {
        "domain": domain,
        "serviceWorkerName": "sw.js",
        "serviceWorkerPath": "/",
        "serviceWorkerScope": "/",
    }
    answer = await api.post("/api/v1/site/webpush/domain", body)
    assert answer.status_code == 200
    assert answer.json() == {"errors": {"domain": domain, "message": "Domain can't be reached"}}
    assert (await api.get("/api/v1/site/webpush/domains")).json() == {"domains": []}
