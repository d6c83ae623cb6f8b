"""/sandbox: lists and previews what the sandbox kept. For people of the organisation: API key or owner's login."""

from __future__ import annotations

import re
from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from perigee.delivery.channels.sandbox.outbox import (
    Kept,
    get_message,
    headline,
    list_messages,
    open_letter,
    readable,
)
from perigee.delivery.providers import TO_SET_UP
from perigee.errors import Invalid
from perigee.http.body import AnyRequest
from perigee.http.context import AppContext
from perigee.http.html import page, text
from perigee.http.people import for_people

ROWS = 50


def sandbox_list(context: AppContext) -> ControllerRouterHandler:
    @get("/sandbox")
    async def handle(request: AnyRequest) -> Response[Any]:
        return await for_people(context, request, lambda caller: _list(context, caller.org_id, request))

    return handle


async def _list(context: AppContext, org_id: int, request: AnyRequest) -> Response[Any]:
    query = request.query_params
    before = query.get("before") or ""
    if before and (not before.isdecimal() or len(before) > 18):
        raise Invalid.of("before", before, "must be a message number")
    channel, address = query.get("channel") or None, (query.get("address") or "").strip().casefold() or None
    async with context.database.connection() as connection:
        kept = await list_messages(
            connection,
            org_id,
            before=int(before) if before else None,
            channel=channel,
            address=address,
            limit=ROWS,
        )
    rows = "".join(_row(one) for one in kept)
    older = ""
    if len(kept) == ROWS:
        more = f"before={kept[-1].sandbox_id}" + (f"&amp;channel={text(channel)}" if channel else "")
        older = f'<p><a href="/sandbox?{more}">Older messages</a></p>'
    channels = "".join(_option(one, channel) for one in TO_SET_UP)
    empty = "" if kept else "<p>Nothing was sent through the sandbox yet.</p>"
    body = f"""<h1>Sandbox</h1>
<p class="muted">Messages that were sent through the sandbox provider. They went to nobody.</p>
<form><input name="address" placeholder="address" value="{text(address)}">
<select name="channel"><option value="">all channels</option>{channels}</select>
<button>Show</button></form>
<table><thead><tr><th>Sent</th><th>Channel</th><th>To</th><th>Message</th></tr></thead><tbody>{rows}</tbody></table>
{empty}{older}"""
    return page("Sandbox", body)


def _option(channel: str, chosen: str | None) -> str:
    return f'<option value="{channel}"{" selected" if channel == chosen else ""}>{channel}</option>'


def _row(kept: Kept) -> str:
    return (
        f"<tr><td>{kept.sent_at:%Y-%m-%d %H:%M:%S}</td><td>{text(kept.channel)}</td><td>{text(kept.address)}</td>"
        f'<td><a href="/sandbox/{kept.sandbox_id}">{text(headline(kept)) or "(no subject)"}</a></td></tr>'
    )


def sandbox_message(context: AppContext) -> ControllerRouterHandler:
    @get("/sandbox/{sandbox_id:int}")
    async def handle(request: AnyRequest, sandbox_id: FromPath[int]) -> Response[Any]:
        async def show(caller: Any) -> Response[Any]:
            async with context.database.connection() as connection:
                return _show(await get_message(connection, caller.org_id, sandbox_id))

        return await for_people(context, request, show)

    return handle


def _show(kept: Kept) -> Response[Any]:
    back = '<p><a href="/sandbox">All messages</a></p>'
    facts = f'<p class="muted">To {text(kept.address)}, {kept.sent_at:%Y-%m-%d %H:%M:%S} UTC, {text(kept.channel)}</p>'
    if kept.channel != "email":
        shown = text(readable(kept)).replace("\n", "<br>")
        return page(
            "Sandbox message", f'{back}<h1>From {text(kept.sender)}</h1>{facts}<p class="bubble">{shown}</p>'
        )
    letter = open_letter(kept.body)
    headers = "\n".join(f"{name}: {value}" for name, value in letter.headers)
    body = f"""{back}<h1>{text(letter.subject)}</h1>{facts}
<iframe sandbox src="/sandbox/{kept.sandbox_id}/html" title="HTML part"></iframe>
<h2>Text part</h2><pre>{text(letter.text)}</pre>
<h2>Headers</h2><pre>{text(headers)}</pre>
<p><a href="/sandbox/{kept.sandbox_id}/raw">Raw message</a></p>"""
    return page(letter.subject, body)


def sandbox_html(context: AppContext) -> ControllerRouterHandler:
    @get("/sandbox/{sandbox_id:int}/html")
    async def handle(request: AnyRequest, sandbox_id: FromPath[int]) -> Response[Any]:
        async def show(caller: Any) -> Response[Any]:
            async with context.database.connection() as connection:
                kept = await get_message(connection, caller.org_id, sandbox_id)
            shown = without_pixel(open_letter(kept.body).html, context.settings.public_url)
            return _foreign(shown.encode(), "text/html")

        return await for_people(context, request, show)

    return handle


def without_pixel(html: str, public_url: str) -> str:
    """Looking at a preview must not count as the recipient's opening."""
    return re.sub(rf'<img\b[^>]*\bsrc="{re.escape(public_url)}/o/[^"]*"[^>]*>', "", html)


def sandbox_raw(context: AppContext) -> ControllerRouterHandler:
    @get("/sandbox/{sandbox_id:int}/raw")
    async def handle(request: AnyRequest, sandbox_id: FromPath[int]) -> Response[Any]:
        async def show(caller: Any) -> Response[Any]:
            async with context.database.connection() as connection:
                kept = await get_message(connection, caller.org_id, sandbox_id)
            return _foreign(kept.body, "text/plain")

        return await for_people(context, request, show)

    return handle


def _foreign(content: bytes, media_type: str) -> Response[Any]:
    """Content of a message as it is: in an origin of its own, without scripts (reliability 32)."""
    return Response(
        content=content,
        media_type=media_type,
        headers={
            "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src https: http: data:",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        },
    )


PAGES = (sandbox_list, sandbox_message, sandbox_html, sandbox_raw)
