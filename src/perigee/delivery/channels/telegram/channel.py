"""Telegram as a channel: each message is a call of its own, so many a second as a bot may make."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from perigee.db.pool import Connection, Database
from perigee.delivery.channel import LEASE_LOST, STALE, Medium, Outcome, Outgoing, Reason, Receipt
from perigee.delivery.channels.telegram import bot_api
from perigee.delivery.lookup_channel import UNCERTAIN, LookupChannel
from perigee.errors import Invalid
from perigee.lib.outside import Limits, NoAnswer, Outside, Rules, Unreachable
from perigee.lib.tokens import InvalidToken
from perigee.push import devices
from perigee.push.credentials import Opened
from perigee.push.devices import Device

API: Final = "https://api.telegram.org"
RULES: Final = Rules()
LIMITS: Final = Limits(size=65_536, total=20.0, idle=15.0)

NOBODY: Final = Receipt(Outcome.FAILED, Reason.ADDRESS_NOT_SUPPORTED, "the chat's bot has no token here")
SEALED: Final = Receipt(
    Outcome.DEFERRED, Reason.SENDER_SETUP, "the bot's token was sealed with another secret", counted=False
)
UNREACHABLE: Final = Receipt(
    Outcome.DEFERRED, Reason.PROVIDER_UNREACHABLE, "Telegram cannot be reached", counted=False
)


class TelegramSettings(msgspec.Struct, frozen=True):
    """From the installation's settings."""

    per_second: Annotated[int, Meta(ge=1, le=1000)] = 25
    connections: Annotated[int, Meta(ge=1, le=100)] = 20


class TelegramChannel(LookupChannel[Device]):
    medium = Medium.TELEGRAM
    Settings = TelegramSettings

    def __init__(self, settings: TelegramSettings, *, database: Database, sealing: bytes) -> None:
        """`sealing`: `Keys.sealing`, which opens the bots' tokens."""
        super().__init__(database, settings.connections)
        self._opened = Opened(sealing)
        self._step = 1.0 / settings.per_second
        self._next = 0.0
        self._outside: Outside | None = None

    async def close(self) -> None:
        await super().close()
        if self._outside is not None:
            await self._outside.__aexit__()
            self._outside = None

    async def look_up(
        self, connection: Connection, org_id: int, tokens: Collection[str]
    ) -> Mapping[str, Device]:
        return await devices.find(connection, org_id, "telegram", tokens)

    async def deliver(self, outgoing: Outgoing, found: Device | None) -> Receipt:
        if found is None:
            return NOBODY
        try:
            account = self._opened.of(outgoing.org_id, found.app_id, found.credentials).telegram
        except InvalidToken:
            return SEALED
        if account is None:
            return NOBODY
        try:
            method, body = bot_api.request(outgoing.payload, outgoing.address)
        except bot_api.TooLong as error:
            return Receipt(Outcome.FAILED, Reason.TOO_LARGE, str(error), counted=False)
        except msgspec.MsgspecError as error:
            return Receipt(Outcome.FAILED, Reason.BAD_MESSAGE, str(error)[:500], counted=False)
        await self._turn()
        if outgoing.allow_send is not None and not outgoing.allow_send():
            return LEASE_LOST
        if time.monotonic() > outgoing.fresh_until:
            return STALE
        return await self._call(f"{API}/bot{account.bot_token}/{method}", msgspec.json.encode(body))

    async def _turn(self) -> None:
        """Waits for this message's place in the second."""
        now = asyncio.get_running_loop().time()
        begins = max(self._next, now)
        self._next = begins + self._step
        if begins > now:
            await asyncio.sleep(begins - now)

    async def _call(self, url: str, body: bytes) -> Receipt:
        """Telegram knows no id of ours: what got no answer is not sent again."""
        if self._outside is None:
            self._outside = await Outside(RULES).__aenter__()
        headers = {"Content-Type": "application/json"}
        try:
            async with self._outside.request(
                "POST", url, limits=LIMITS, field="bot", headers=headers, body=body
            ) as reply:
                return bot_api.receipt(reply.status, await reply.read())
        except NoAnswer:
            return UNCERTAIN
        except Unreachable:
            return UNREACHABLE
        except Invalid as error:
            return Receipt(Outcome.DEFERRED, Reason.PROVIDER_UNREACHABLE, type(error).__name__, counted=False)
