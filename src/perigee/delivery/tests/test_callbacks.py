"""A campaign through a gateway, end to end: requests out, reports back over HTTP, the books exact."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from aiohttp import web

from perigee.delivery import callbacks
from perigee.delivery.events import waiting
from perigee.delivery.providers import add_provider
from perigee.testing.api import Api
from perigee.testing.outside import web_server
from perigee.testing.sending import SETTINGS, Shop

GATEWAY = {
    "template": {"to": "{to}", "text": "{text}", "callback": "{callback}"},
    "answer": {"id": ["id"], "verdict": ["error"], "verdicts": {"unknown": "failed no_such_recipient"}},
    "reports": {
        "body": "form",
        "id": "id",
        "status": "status",
        "text": ["words"],
        "events": {"ok": "delivered", "no": "bounced no_such_recipient"},
    },
}


class Net:
    """The gateway, and the organisation that sends through it."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.shop = Shop(
            api.db, api.org_id, replace(SETTINGS, outside_networks="127.0.0.0/8", outside_ports="any")
        )
        self.calls: list[dict[str, Any]] = []
        self.silent: set[str] = set()
        self.provider_id = 0

    async def handle(self, request: Any) -> web.StreamResponse:
        call = msgspec.json.decode(await request.read())
        self.calls.append(call)
        if call["to"] in self.silent:
            request.transport.close()
            return web.Response()
        return web.json_response({"id": f"m-{call['to']}"})

    async def campaign(self, count: int) -> Any:
        people = [await self.shop.person(phone=f"38050000000{n}") for n in range(count)]
        return await self.shop.started(people, channel="sms")

    async def report(self, number: int, status: str, **more: str) -> Any:
        """As the gateway calls the address that it was given with the message."""
        to = f"38050000000{number}"
        (call,) = [one for one in self.calls if one["to"] == to]
        parts = urlsplit(call["callback"])
        body = (
            {"status": status, **more} if to in self.silent else {"id": f"m-{to}", "status": status, **more}
        )
        return await self.api.client.post(f"{parts.path}?{parts.query}", data=body)

    async def activity(self) -> list[tuple[str, str, str | None]]:
        return await self.shop.sql(
            "select c.phone, a.status, a.detail from activity a join contact c using (org_id, contact_id)"
            " where a.org_id = %(org)s order by c.phone, a.activity_id"
        )


@asynccontextmanager
async def _net(api: Api) -> AsyncIterator[Net]:
    net = Net(api)
    async with web_server(net.handle) as port:
        async with api.db.transaction() as connection:
            net.provider_id = await add_provider(
                connection,
                api.org_id,
                net.shop.keys.sealing,
                channel="sms",
                kind="http_gateway",
                name="Gateway",
                settings={"gateway": {"url": f"http://127.0.0.1:{port}/send", **GATEWAY}},
            )
        yield net


@pytest.fixture
async def net(api: Api) -> AsyncIterator[Net]:
    async with _net(api) as made:
        yield made


async def test_reports_say_what_became_of_the_messages(net: Net) -> None:
    campaign = await net.campaign(3)
    await net.shop.run_sender()
    assert [status for _, status, _ in await net.activity()] == ["SENT"] * 3
    assert (await net.report(0, "ok")).status_code == 200
    assert (await net.report(1, "no", words="unknown subscriber")).status_code == 200
    assert (await net.report(1, "no", words="unknown subscriber")).status_code == 200
    assert (await net.report(2, "on its way")).status_code == 200
    assert await net.activity() == [
        ("380500000000", "SENT", None),
        ("380500000000", "DELIVERED", None),
        ("380500000001", "SENT", None),
        ("380500000001", "UNDELIVERED", "unknown subscriber"),
        ("380500000002", "SENT", None),
    ]
    assert (await net.shop.report(campaign.campaign_id)).sent == 3
    blacklisted = await net.shop.sql(
        "select value from address where org_id = %(org)s and blacklisted_at is not null"
    )
    assert blacklisted == [("380500000001",)]


async def test_a_lost_answer_is_uncertain_until_a_report_names_the_message(net: Net) -> None:
    net.silent = {"380500000000", "380500000001", "380500000002"}
    campaign = await net.campaign(3)
    await net.shop.run_sender()
    assert (await net.shop.report(campaign.campaign_id)).uncertain == 3
    await net.report(0, "ok")
    await net.report(1, "no")
    found = await net.shop.report(campaign.campaign_id)
    assert (found.sent, found.failed, found.uncertain) == (1, {"no_such_recipient": 1}, 1)
    assert len(net.calls) == 3


async def test_a_report_before_the_answer_is_matched_afterwards(net: Net) -> None:
    await net.campaign(1)
    original = net.handle

    async def early(request: Any) -> web.StreamResponse:
        answer = await original(request)
        assert (await net.report(0, "ok")).status_code == 200
        return answer

    async with web_server(early) as port:
        await net.shop.sql(
            "update provider set settings = jsonb_set(settings, '{gateway,url}', to_jsonb(%(u)s::text))"
            " where org_id = %(org)s and kind = 'http_gateway'",
            u=f"http://127.0.0.1:{port}/send",
        )
        await net.shop.run_sender()
    assert [status for _, status, _ in await net.activity()] == ["SENT"]
    assert await waiting.match(net.shop.db) == 1
    assert [status for _, status, _ in await net.activity()] == ["SENT", "DELIVERED"]


async def test_only_the_provider_knows_the_address(net: Net) -> None:
    await net.campaign(1)
    await net.shop.run_sender()
    path = urlsplit(net.calls[0]["callback"]).path
    body = {"id": "m-380500000000", "status": "ok"}
    for wrong in (path[:-1] + ("A" if path[-1] != "A" else "B"), callbacks.PATH + "x"):
        assert (await net.api.client.post(wrong, data=body)).status_code == 404
    other = callbacks.address("", net.shop.keys.sealing, net.shop.org_id, net.provider_id + 1000)
    assert (await net.api.client.post(other, data=body)).status_code == 404
    assert (await net.api.client.post(path, content=b"x" * 1_100_000)).status_code == 413
    assert [status for _, status, _ in await net.activity()] == ["SENT"]


async def test_the_address_is_shown_and_is_the_one_that_messages_carry(net: Net) -> None:
    listed = (await net.api.get("/api/v4/providers")).json()["items"]
    shown = {one["kind"]: one.get("callback_url") for one in listed}
    assert shown["sandbox"] is None
    await net.campaign(1)
    await net.shop.run_sender()
    sent = urlsplit(net.calls[0]["callback"])
    assert urlsplit(shown["http_gateway"]).path == sent.path
    assert list(parse_qs(sent.query)) == ["ref"]


async def test_a_gateway_that_cannot_call_us_delivers_what_it_takes(net: Net) -> None:
    await net.shop.sql(
        "update provider set settings = settings || '{\"callbacks\": false}' where org_id = %(org)s"
        " and kind = 'http_gateway'"
    )
    await net.campaign(1)
    await net.shop.run_sender()
    assert [status for _, status, _ in await net.activity()] == ["DELIVERED"]
    assert "callback" not in net.calls[0]
