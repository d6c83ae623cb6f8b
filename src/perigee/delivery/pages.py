"""What links in messages lead to: the open pixel, clicks, the web version. Those about consent: `consent.pages`."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from perigee.db.queries import load
from perigee.delivery.data import NOTHING, Somebody
from perigee.delivery.machines import known_at_once
from perigee.delivery.sends import Sends
from perigee.delivery.targets import Targets, click_on
from perigee.delivery.tracking import Hit, record_hits
from perigee.errors import Invalid, NotFound
from perigee.http.body import AnyRequest
from perigee.http.client_address import client_address
from perigee.http.context import AppContext
from perigee.http.edge import original_method
from perigee.http.html import foreign_page, page
from perigee.http.people import refusal
from perigee.lib.public_addresses import parse_networks
from perigee.messages import short_links
from perigee.messages.links import OPEN, TRAP, VIEW, Recipient, read_click, read_recipient

q = load(__package__)

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


class Judge:
    """What a request alone says of who made it."""

    def __init__(self, context: AppContext) -> None:
        self._networks = parse_networks(context.settings.machine_networks)

    def hit(self, request: AnyRequest, recipient: Recipient, status: str, at: datetime, **more: Any) -> Hit:
        agent = request.headers.get("user-agent", "")
        more.setdefault(
            "machine",
            known_at_once(
                method=original_method(request.scope),
                user_agent=agent,
                address=client_address(request),
                networks=self._networks,
                opened=status == "READ",
            ),
        )
        return Hit(recipient, status, at, user_agent=agent, **more)


def open_pixel(context: AppContext) -> ControllerRouterHandler:
    commit = context.group_commit(record_hits)
    judge = Judge(context)

    @get("/o/{token:str}", media_type="image/gif")
    async def handle(request: AnyRequest, token: FromPath[str]) -> Response[bytes]:
        """A picture is always answered; only a genuine token counts."""
        try:
            recipient = read_recipient(context.keys.links, OPEN, token)
            hit = judge.hit(request, recipient, "READ", context.now())
            await commit.submit(recipient.org_id, hit)
        except NotFound:
            pass
        return Response(PIXEL, media_type="image/gif", headers={"Cache-Control": "no-store"})

    return handle


def click(context: AppContext) -> ControllerRouterHandler:
    """A short link (`/s/`) is one click like any other, once it is known whose message it stood in."""
    targets = Targets(context.database)
    commit = context.group_commit(record_hits)
    judge = Judge(context)

    @get(["/c/{token:str}", "/s/{token:str}"])
    async def handle(request: AnyRequest, token: FromPath[str]) -> Response[Any]:
        try:
            if request.scope["path"].startswith("/s/"):
                clicked = await click_on(context.database, short_links.read(context.keys.links, token))
            else:
                clicked = read_click(context.keys.links, token)
            if clicked.link_no == TRAP:
                trapped = judge.hit(request, clicked.recipient, "CLICKED", context.now(), machine="trap")
                await commit.submit(clicked.recipient.org_id, trapped)
                return page("Nothing to see", '<main class="narrow"><p>There is nothing here.</p></main>')
            target = await targets.of(clicked)
            hit = judge.hit(
                request,
                clicked.recipient,
                "CLICKED",
                context.now(),
                link_no=clicked.link_no,
                url=target.url,
            )
            await commit.submit(clicked.recipient.org_id, hit)
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
