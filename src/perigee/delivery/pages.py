"""What links in messages lead to: the open pixel, clicks, the web version. Those about consent: `consent.pages`."""

from __future__ import annotations

import base64
from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from perigee.db.queries import load
from perigee.delivery.data import NOTHING, Somebody
from perigee.delivery.sends import Sends
from perigee.delivery.targets import Targets
from perigee.delivery.targets import clicked as clicked_short
from perigee.delivery.tracking import Hit, record_hits
from perigee.errors import Invalid, NotFound
from perigee.http.body import AnyRequest
from perigee.http.context import AppContext
from perigee.http.html import foreign_page, page
from perigee.http.people import refusal
from perigee.messages import short_links
from perigee.messages.links import OPEN, TRAP, VIEW, read_click, read_recipient

q = load(__package__)

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


def _user_agent(request: AnyRequest) -> str:
    return request.headers.get("user-agent", "")


def open_pixel(context: AppContext) -> ControllerRouterHandler:
    commit = context.group_commit(record_hits)

    @get("/o/{token:str}", media_type="image/gif")
    async def handle(request: AnyRequest, token: FromPath[str]) -> Response[bytes]:
        """A picture is always answered; only a genuine token counts."""
        try:
            recipient = read_recipient(context.keys.links, OPEN, token)
            await commit.submit(
                recipient.org_id, Hit(recipient, "READ", context.now(), user_agent=_user_agent(request))
            )
        except NotFound:
            pass
        return Response(PIXEL, media_type="image/gif", headers={"Cache-Control": "no-store"})

    return handle


def click(context: AppContext) -> ControllerRouterHandler:
    """A short link (`/s/`) is one click like any other, once it is known whose message it stood in."""
    targets = Targets(context.database)
    commit = context.group_commit(record_hits)

    @get(["/c/{token:str}", "/s/{token:str}"])
    async def handle(request: AnyRequest, token: FromPath[str]) -> Response[Any]:
        try:
            if request.scope["path"].startswith("/s/"):
                clicked = await clicked_short(context.database, short_links.read(context.keys.links, token))
            else:
                clicked = read_click(context.keys.links, token)
            if clicked.link_no == TRAP:
                trapped = Hit(
                    clicked.recipient,
                    "CLICKED",
                    context.now(),
                    user_agent=_user_agent(request),
                    machine="trap",
                )
                await commit.submit(clicked.recipient.org_id, trapped)
                return page("Nothing to see", '<main class="narrow"><p>There is nothing here.</p></main>')
            target = await targets.of(clicked)
            await commit.submit(
                clicked.recipient.org_id,
                Hit(
                    clicked.recipient,
                    "CLICKED",
                    context.now(),
                    link_no=clicked.link_no,
                    url=target.url,
                    user_agent=_user_agent(request),
                ),
            )
        except Exception as error:
            return refusal(error, "/c/")
        return Response(
            b"",
            status_code=302,
            headers={
                "Location": target.location,
                "Cache-Control": "no-store",
                "Referrer-Policy": "no-referrer",
            },
        )

    return handle


def web_version(context: AppContext) -> ControllerRouterHandler:
    sends = Sends(
        context.database,
        context.keys,
        context.settings.public_url,
        short_url=context.settings.short_url,
    )

    @get("/v/{token:str}")
    async def handle(token: FromPath[str]) -> Response[Any]:
        try:
            recipient = read_recipient(context.keys.links, VIEW, token)
            send = await sends.get(recipient.org_id, recipient.send_id)
            async with context.database.connection() as connection:
                cursor = await connection.execute(
                    q.person_of_delivery,
                    {
                        "org_id": recipient.org_id,
                        "send_id": recipient.send_id,
                        "ordinal": recipient.ordinal,
                        "contact_id": recipient.contact_id,
                    },
                )
                row = await cursor.fetchone()
                if row is None:
                    raise NotFound("no such message")
                given = await send.given(connection, [Somebody(recipient.ordinal, row[1])])
            html = send.web_version(
                row[:-1], row[-1], recipient.ordinal, given.get(recipient.ordinal, NOTHING)
            )
        except Invalid:
            return refusal(NotFound("this message cannot be shown"), "/v/")
        except Exception as error:
            return refusal(error, "/v/")
        return foreign_page(html)

    return handle


PAGES = (open_pixel, click, web_version)
