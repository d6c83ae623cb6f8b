"""A bot with its token, chats with it, and the Bot API they are reached by."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from aiohttp import web

from perigee.delivery.channel import Outgoing, Receipt
from perigee.delivery.channels.telegram import channel
from perigee.delivery.channels.telegram.channel import TelegramChannel, TelegramSettings
from perigee.keys import Keys
from perigee.lib.outside import Rules
from perigee.testing.api import SECRET, Api
from perigee.testing.outside import web_server
from perigee.testing.sending import Shop

BOT = "123456:AAE_0123456789abcdefghijklmnopqrstu"


@dataclass
class BotApi:
    """Takes everything, unless an answer waits: (status, body), or None to break off."""

    port: int = 0
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: list[tuple[int, Any] | None] = field(default_factory=list)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.calls.append((request.path, json.loads(await request.read())))
        answer = self.answers.pop(0) if self.answers else (200, {"ok": True, "result": {"message_id": 77}})
        if answer is None:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        return web.json_response(answer[1], status=answer[0])


class Chats:
    def __init__(self, api: Api, bot: BotApi, app_id: str) -> None:
        self.api = api
        self.bot = bot
        self.app_id = app_id
        self.shop = Shop(api.db, api.org_id)

    async def chat(self) -> str:
        """A contact with a chat; its token."""
        token = str(secrets.randbelow(10**10) + 1)
        contact_id = await self.shop.person(f"{secrets.token_hex(6)}@example.com")
        await self.shop.sql(
            "insert into push_token (org_id, kind, app_id, token, contact_id)"
            " values (%(org)s, 'telegram', %(a)s, %(t)s, %(c)s)",
            a=self.app_id,
            t=token,
            c=contact_id,
        )
        return token

    async def send(self, *tokens: str, per_second: int = 1000, **message: Any) -> list[Receipt]:
        batch = [
            Outgoing(
                org_id=self.api.org_id,
                send_id=4_702_001,
                ordinal=ordinal,
                contact_id=1,
                address=token,
                iid=str(uuid.uuid4()),
                sender="",
                payload=msgspec.json.encode({"text": "50 %", **message}),
            )
            for ordinal, token in enumerate(tokens)
        ]
        made = TelegramChannel(
            TelegramSettings(per_second=per_second), database=self.api.db, sealing=Keys.of(SECRET).sealing
        )
        try:
            return await made.send(batch)
        finally:
            await made.close()


@pytest.fixture
async def chats(api: Api, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Chats]:
    bot = BotApi()
    async with web_server(bot.handle) as port:
        bot.port = port
        monkeypatch.setattr(channel, "API", f"http://127.0.0.1:{port}")
        monkeypatch.setattr(channel, "RULES", Rules.of("127.0.0.0/8", "any"))
        made = await api.post("/api/v4/apps", {"kind": "telegram", "name": "Shop bot"})
        app_id = made.json()["app_id"]
        answer = await api.put(f"/api/v4/apps/{app_id}/credentials", {"telegram": {"bot_token": BOT}})
        assert answer.json() == {"app_id": app_id, "telegram": {"bot_id": "123456"}}, answer.text
        yield Chats(api, bot, app_id)
