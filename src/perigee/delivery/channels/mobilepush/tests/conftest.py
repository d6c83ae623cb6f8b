"""An application with keys of both services, its devices, and the services they listen to."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from perigee.delivery.channel import Outgoing, Receipt
from perigee.delivery.channels.mobilepush import apns, channel, fcm
from perigee.delivery.channels.mobilepush.channel import MobilePushChannel, MobilePushSettings
from perigee.delivery.channels.mobilepush.tests.accounts import APNS_KEYS, FCM_KEYS, LOGIN
from perigee.delivery.channels.mobilepush.tests.service import Service, push_service
from perigee.keys import Keys
from perigee.testing.api import SECRET, Api
from perigee.testing.sending import Shop
from perigee.testing.smtp_fixtures import self_signed


class Devices:
    def __init__(self, api: Api, service: Service, app_id: str) -> None:
        self.api = api
        self.service = service
        self.app_id = app_id
        self.shop = Shop(api.db, api.org_id)

    async def device(self, *, apple: bool = False, app_id: str | None = None) -> str:
        """A contact with one device; its token."""
        token = (
            secrets.token_hex(32)
            if apple
            else f"{secrets.token_urlsafe(12)}:APA91b-{secrets.token_urlsafe(8)}"
        )
        contact_id = await self.shop.person(f"{secrets.token_hex(6)}@example.com")
        await self.shop.sql(
            "insert into push_token (org_id, kind, app_id, token, contact_id)"
            " values (%(org)s, 'mobilepush', %(a)s, %(t)s, %(c)s)",
            a=self.app_id if app_id is None else app_id,
            t=token,
            c=contact_id,
        )
        return token

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

    async def send(self, *batch: Outgoing) -> list[Receipt]:
        made = MobilePushChannel(MobilePushSettings(), database=self.api.db, sealing=Keys.of(SECRET).sealing)
        try:
            return await made.send(batch)
        finally:
            await made.close()

    async def tokens(self) -> set[str]:
        return {row[0] for row in await self.shop.sql("select token from push_token where org_id = %(org)s")}

    def pushes(self) -> list[Any]:
        """What came in beside the sign-ins."""
        return [one for one in self.service.arrived if one.path != LOGIN]


@pytest.fixture
async def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    server_side, client_side = self_signed(tmp_path)
    monkeypatch.setattr(channel, "VERIFY", client_side)
    async with push_service(server_side) as made:
        monkeypatch.setattr(fcm, "API", made.origin)
        monkeypatch.setattr(fcm, "LOGIN", made.origin + LOGIN)
        monkeypatch.setattr(apns, "HOSTS", dict.fromkeys(apns.HOSTS, made.origin))
        for _ in range(5):
            made.answer(LOGIN, 200, {"access_token": "at-1", "expires_in": 3600})
        yield made


@pytest.fixture
async def devices(api: Api, service: Service) -> Devices:
    made = await api.post("/api/v4/apps", {"kind": "mobilepush", "name": "Shop"})
    app_id = made.json()["app_id"]
    answer = await api.put(f"/api/v4/apps/{app_id}/credentials", {"fcm": FCM_KEYS, "apns": APNS_KEYS})
    assert answer.status_code == 200, answer.text
    return Devices(api, service, app_id)


@pytest.fixture(autouse=True)
def _no_foreign_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in the environment must not matter."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
