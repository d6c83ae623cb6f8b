"""What links in messages lead to: the open pixel, clicks, unsubscribing, the web version.

GET and HEAD never change consent: scanners follow every link (reliability 17). One-click unsubscribe (RFC 8058) is a
POST without cookie, login or redirect; people get a page whose button POSTs to the same address.
"""

from __future__ import annotations

import base64
from typing import Any

from litestar import MediaType, Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from perigee.db.queries import load
from perigee.delivery.data import NOTHING, Somebody
from perigee.delivery.sends import Sends
from perigee.delivery.targets import Targets
from perigee.delivery.tracking import Hit, OptOut, opt_out, record_hits
from perigee.errors import Invalid, NotFound
from perigee.http import body
from perigee.http.body import AnyRequest
from perigee.http.context import AppContext
from perigee.http.html import foreign_page, page, text
from perigee.http.people import refusal
from perigee.messages.links import OPEN, UNSUBSCRIBE, VIEW, read_click, read_recipient

q = load(__package__)

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
MAX_FORM = 16_384
REASONS = {
    "often": "Too many messages",
    "irrelevant": "Not of interest to me",
    "never": "I never signed up",
    "other": "Another reason",
}


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
    targets = Targets(context.database)
    commit = context.group_commit(record_hits)

    @get("/c/{token:str}")
    async def handle(request: AnyRequest, token: FromPath[str]) -> Response[Any]:
        try:
            clicked = read_click(context.keys.links, token)
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


def unsubscribe_page(context: AppContext) -> ControllerRouterHandler:
    @get("/u/{token:str}")
    async def handle(token: FromPath[str]) -> Response[Any]:
        try:
            read_recipient(context.keys.links, UNSUBSCRIBE, token)
        except NotFound as error:
            return refusal(error, "/u/")
        choices = "".join(
            f'<p><label><input type="radio" name="reason" value="{key}"> {text(words)}</label></p>'
            for key, words in REASONS.items()
        )
        return page(
            "Unsubscribe",
            f"""<div class="narrow"><h1>Unsubscribe</h1>
<p>You will get no more marketing emails from us at this address.</p>
<form method="post">{choices}<input type="hidden" name="from" value="page">
<p><button>Unsubscribe</button></p></form></div>""",
        )

    return handle


def unsubscribe(context: AppContext) -> ControllerRouterHandler:
    commit = context.group_commit(opt_out)

    @post("/u/{token:str}", status_code=200)
    async def handle(request: AnyRequest, token: FromPath[str]) -> Response[Any]:
        """Both form encodings, one answer: 200 once the change is committed."""
        try:
            recipient = read_recipient(context.keys.links, UNSUBSCRIBE, token)
            form = await _form(request, context)
            by_person = form.get("from") == "page"
            reason = REASONS.get(str(form.get("reason", "")))
            await commit.submit(
                recipient.org_id,
                OptOut(recipient, "page" if by_person else "one_click", context.now(), reason=reason),
            )
        except Exception as error:
            return refusal(error, "/u/")
        if not by_person:
            return Response(b"", media_type=MediaType.TEXT)
        return page(
            "Unsubscribed", '<div class="narrow"><h1>Done</h1><p>This address is unsubscribed.</p></div>'
        )

    return handle


async def _form(request: AnyRequest, context: AppContext) -> dict[str, Any]:
    """The fields of a small form. A body that cannot be read is no reason to refuse an unsubscribe."""
    raw = await body.read(request, limit=MAX_FORM, seconds=context.settings.request_timeout_seconds)
    # Litestar parses from the cached body, whose size is known to be small by now.
    request._body = raw
    try:
        return dict(await request.form())
    except Exception:
        return {}


def web_version(context: AppContext) -> ControllerRouterHandler:
    sends = Sends(context.database, context.keys, context.settings.public_url)

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


PAGES = (open_pixel, click, unsubscribe_page, unsubscribe, web_version)
