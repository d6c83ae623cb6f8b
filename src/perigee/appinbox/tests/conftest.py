"""An inbox over the wire: contacts, their tokens, and messages put there by the channel."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest

from perigee import upkeep
from perigee.delivery.channel import Outgoing, Receipt
from perigee.delivery.channels.appinbox.channel import AppInboxChannel, AppInboxSettings
from perigee.testing.api import Api


class Inbox:
    def __init__(self, api: Api) -> None:
        self.api = api
        self.sent = 0

    async def contact(self, **columns: Any) -> int:
        """`email`, `phone`, `external_id` in their normal form."""
        names = ", ".join(columns)
        places = ", ".join(f"%({name})s" for name in columns)
        ((contact_id,),) = await self.api.rows(
            f"insert into contact (org_id, {names}) values (%(org_id)s, {places}) returning contact_id",
            **columns,
        )
        return int(contact_id)

    async def token(self, **who: Any) -> str:
        answer = await self.api.post("/api/v1/auth/contact/token", who)
        assert answer.status_code == 200
        return str(answer.json()["token"])

    async def signed_in(self, email: str = "anna@example.com") -> str:
        """A token of a new contact."""
        await self.contact(email=email)
        return await self.token(email=email)

    async def owner(self, token: str) -> int:
        """Whose inbox a token opens, found out by a message in it."""
        sent = str(uuid.uuid4())
        for (contact_id,) in await self.api.rows("select contact_id from contact where org_id = %(org_id)s"):
            await self.put(contact_id, title=f"{sent} {contact_id}")
        listed = (await self.get("/appinbox/v1/messages", token)).json()["list"]
        (title,) = [one["title"] for one in listed if one["title"].startswith(sent)]
        return int(title.split(" ")[1])

    async def get(self, path: str, token: str) -> httpx.Response:
        return await self.api.get(path, key="", headers={"ES-TOKEN": token.encode()})

    async def post(
        self, body: Any, token: str, *, path: str = "/appinbox/v1/messages/status"
    ) -> httpx.Response:
        return await self.api.post(path, body, key="", headers={"ES-TOKEN": token.encode()})

    async def put(self, contact_id: int, **message: Any) -> str:
        """Puts a message (members as in the template) into an inbox; returns its id."""
        outgoing = self.outgoing(contact_id, **message)
        (receipt,) = await self.send([outgoing])
        assert receipt.outcome == "sent"
        return outgoing.iid

    def outgoing(self, contact_id: int, **message: Any) -> Outgoing:
        self.sent += 1
        payload = {"title": "A gift", "text": "You have 50 points", **message}
        return Outgoing(
            org_id=self.api.org_id,
            send_id=4_702_001,
            ordinal=self.sent,
            contact_id=contact_id,
            address=str(contact_id),
            iid=str(uuid.uuid4()),
            sender="",
            payload=msgspec.json.encode(payload),
        )

    async def send(self, batch: list[Outgoing], **settings: Any) -> list[Receipt]:
        channel = AppInboxChannel(AppInboxSettings(**settings), database=self.api.db)
        return await channel.send(batch)

    async def upkeep(self) -> None:
        from perigee.testing.api import SETTINGS

        await upkeep.run(self.api.db, SETTINGS, datetime.now(UTC))


@pytest.fixture
def inbox(api: Api) -> Inbox:
    return Inbox(api)
