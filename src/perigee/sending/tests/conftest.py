"""A shop with an API, and short ways to messages, senders and what arrived in the sandbox."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from typing import Any

import httpx
import msgspec
import pytest

from perigee.testing.api import Api
from perigee.testing.sending import Shop
from perigee.testing.smtp_fixtures import start_smtp_server

__all__ = ["start_smtp_server"]

EMAIL = {
    "from": '"Example Shop" <news@shop.example.com>',
    "subject": "Hello %FIRSTNAME|friend%",
    "htmlText": '<html><body><p>Discount {{ discount }}</p><a href="https://shop.example.com/sale">Sale</a>'
    '<a href="https://esputnik.com/viewInBrowser">View</a></body></html>',
}


class Sending:
    """`results` and `requests` look into an answer; `mail` and `arrived` into the sandbox after the sender ran."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.shop = Shop(api.db, api.org_id)

    async def template(self, channel: str = "email", **content: Any) -> int:
        return await self.shop.message(channel, versions={"en": content or EMAIL})

    async def smart(self, message_id: int, *recipients: Any, **more: Any) -> httpx.Response:
        return await self.api.post(
            f"/api/v1/message/{message_id}/smartsend", {"recipients": list(recipients), **more}
        )

    async def arrived(self) -> list[tuple[str, str, Any]]:
        """(address, sender, body) of what went out, in order of messages; JSON bodies decoded."""
        await self.shop.run_sender()
        rows = await self.shop.sql(
            "select channel, address, sender, body from sandbox_message where org_id = %(org)s"
            " order by send_id, ordinal"
        )
        return [
            (address, sender, body.decode() if channel in ("email", "sms") else msgspec.json.decode(body))
            for channel, address, sender, body in rows
        ]

    async def mails(self) -> list[EmailMessage]:
        found = []
        for _, _, body in await self.arrived():
            message = email.message_from_string(body, policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            found.append(message)
        return found

    async def status(self, *request_ids: str) -> Any:
        answer = await self.api.get("/api/v1/message/status", params={"ids": ",".join(request_ids)})
        assert answer.status_code == 200, answer.text
        return answer.json()["results"]


def results(answer: httpx.Response) -> list[dict[str, Any]]:
    """The result elements, also of a collapsed answer."""
    assert answer.status_code == 200, answer.text
    found = answer.json()["results"]
    return found if isinstance(found, list) else [found]


def requests(answer: httpx.Response) -> list[str]:
    return [one["requestId"] for one in results(answer)]


def html(message: EmailMessage) -> str:
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content())


@pytest.fixture
def sending(api: Api) -> Sending:
    return Sending(api)
