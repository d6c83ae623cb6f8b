"""A template in the browser: what its link (contract 18.1) leads to. For nobody in particular, and nothing is counted."""

from __future__ import annotations

import time
from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from perigee.errors import Invalid, NotFound
from perigee.http.context import AppContext
from perigee.http.html import foreign_page
from perigee.http.people import refusal
from perigee.lib.tokens import InvalidToken, Signer
from perigee.messages import store
from perigee.messages.contents import Email, read_content
from perigee.messages.person import Names, Person
from perigee.messages.preview import preview
from perigee.messages.types import MessageRow
from perigee.messages.version import CompileOptions, MessageVersion

TEMPLATE = "template"


def view_link(signer: Signer, public_url: str, org_id: int, message_id: int) -> str:
    """Whoever has the link sees the template's base version as it is at that time."""
    return f"{public_url}/m/{signer.sign(TEMPLATE, org_id, message_id)}"


def shown(message: MessageRow, *, public_url: str, now: int) -> str:
    """The HTML of the base version for a person without any data. Raises Invalid when it needs some."""
    content = read_content(message.channel, message.versions[message.language])
    assert isinstance(content, Email)
    options = CompileOptions(public_url, bulk=False, names=Names(constants={"message_name": message.name}))
    version = MessageVersion(content, message.language, message.engine)
    return preview(version, options, Person(), now=now).html


def template_page(context: AppContext) -> ControllerRouterHandler:
    @get("/m/{token:str}")
    async def handle(token: FromPath[str]) -> Response[Any]:
        try:
            org_id, message_id = _named(context.keys.links, token)
            async with context.database.connection() as connection:
                message = await store.get_message(connection, org_id, message_id, channel="email")
            html = shown(message, public_url=context.settings.public_url, now=int(time.time()))
        except Invalid:
            return refusal(NotFound("this message cannot be shown"), "/m/")
        except Exception as error:
            return refusal(error, "/m/")
        return foreign_page(html)

    return handle


def _named(signer: Signer, token: str) -> tuple[int, int]:
    try:
        org_id, message_id = signer.verify(TEMPLATE, token)
    except (InvalidToken, ValueError):
        raise NotFound("no such message") from None
    return org_id, message_id


PAGES = (template_page,)
