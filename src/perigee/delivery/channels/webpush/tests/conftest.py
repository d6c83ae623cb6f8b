"""A site with web push, its browsers, and the service they listen to."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from perigee.delivery.channel import Outgoing, Receipt
from perigee.delivery.channels.webpush.channel import WebPushChannel, WebPushSettings
from perigee.delivery.channels.webpush.tests.service import Browser, PushService, claims, push_service
from perigee.keys import Keys
from perigee.lib.tokens import encode
from perigee.testing.api import SECRET, Api
from perigee.testing.sending import SETTINGS, Shop

SITE = "https://shop.example.com"
LOCAL = replace(SETTINGS, outside_networks="127.0.0.0/8", outside_ports="any")


class Pushes:
    def __init__(self, api: Api, service: PushService, key: str) -> None:
        self.api = api
        self.service = service
        self.key = key
        self.shop = Shop(api.db, api.org_id, LOCAL)
        self.browsers: dict[str, Browser] = {}

    async def subscribe(self, endpoint: str | None = None, **more: Any) -> str:
        """A new browser; its token. It is reached at `/<token>` of the service, or where `endpoint` says."""
        browser = Browser()
        given = {
            "endpoint": f"https://fcm.googleapis.com/fcm/send/{uuid.uuid4()}",
            "keys": {"p256dh": encode(browser.p256dh), "auth": encode(browser.auth)},
        }
        body = {"site": self.key, "subscription": given, **more}
        answer = await self.api.post("/webpush/subscriptions", body, key="", headers={"origin": SITE})
        assert answer.status_code == 200, answer.text
        token = str(answer.json()["token"])
        await self.shop.sql(
            "update webpush_subscription s set endpoint = %(e)s from push_token t"
            " where s.org_id = %(org)s and t.org_id = s.org_id and t.token_id = s.token_id and t.token = %(t)s",
            e=endpoint or f"{self.service.origin}/{token}",
            t=token,
        )
        self.browsers[token] = browser
        return token

    async def tokens(self) -> set[str]:
        return {row[0] for row in await self.shop.sql("select token from push_token where org_id = %(org)s")}

    async def contact(self, token: str) -> int:
        return int(
            await self.shop.value(
                "select contact_id from push_token where org_id = %(org)s and token = %(t)s", t=token
            )
        )

    def outgoing(self, token: str, /, **message: Any) -> Outgoing:
        return Outgoing(
            org_id=self.api.org_id,
            send_id=4_702_001,
            ordinal=1,
            contact_id=1,
            address=token,
            iid=str(uuid.uuid4()),
            sender="",
            payload=msgspec.json.encode({"title": "Sale", "text": "50 %", **message}),
        )

    def channel(self, **settings: Any) -> WebPushChannel:
        made = WebPushSettings(**{"networks": "127.0.0.0/8", "ports": "any", **settings})
        return WebPushChannel(made, database=self.api.db, sealing=Keys.of(SECRET).sealing)

    async def send(self, *batch: Outgoing, **settings: Any) -> list[Receipt]:
        channel = self.channel(**settings)
        try:
            return await channel.send(batch)
        finally:
            await channel.close()

    async def answered(self, status: int, text: str = "", **headers: str) -> Receipt:
        """What becomes of a message to which the service says this."""
        token = await self.subscribe()
        self.service.answer(f"/{token}", status, text, **headers)
        (receipt,) = await self.send(self.outgoing(token))
        return receipt

    def shown(self) -> list[dict[str, Any]]:
        """What browsers were given, in the order of arrival; each message was opened and its sender proven."""
        found = []
        for one in self.service.arrived:
            claims(one.headers["authorization"], self.key)
            found.append(json.loads(self.browsers[one.path[1:]].open(one.body)))
        return found


@pytest.fixture
async def pushes(api: Api) -> AsyncIterator[Pushes]:
    domain = {
        "domain": SITE,
        "serviceWorkerName": "sw.js",
        "serviceWorkerPath": "/",
        "serviceWorkerScope": "/",
    }
    await api.post("/api/v1/site/webpush/domain", domain)
    script = (await api.get(f"/api/v1/site/webpush/script?domain={SITE}")).json()["script"]
    async with push_service() as service:
        yield Pushes(api, service, script.split("/webpush/")[1].split(".js")[0])
