"""/appinbox/v1: the inbox of the person who is signed in on the site or in the app (contract 22.8).

Their page knows no API key; it shows a token in the header `ES-TOKEN`, and every answer that has taken a token, a
refusal included, carries the next one. CORS is `http/edge.py`'s.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from perigee.appinbox import inbox, sessions, store
from perigee.appinbox.sessions import Turn
from perigee.appinbox.types import StatusChange, Unread
from perigee.appinbox.widget import widget_script
from perigee.esputnik import envelope
from perigee.http import body
from perigee.http.body import AnyRequest
from perigee.http.context import AppContext
from perigee.lib import json_edge

HEADER = "ES-TOKEN"
BODY_LIMIT = 256 * 1024


async def serve(
    context: AppContext, request: AnyRequest, answer: Callable[[Turn], Awaitable[Any]]
) -> Response[Any]:
    """Takes the token, answers (None: no body), gives the next token. The token is taken in a transaction of its
    own, so it stays taken whatever becomes of the answer."""
    turn: Turn | None = None
    try:
        async with context.database.transaction() as conn:
            turn = await sessions.turn(
                conn,
                context.keys.links,
                request.headers.get(HEADER, "").strip(),
                seconds=context.settings.app_inbox_token_minutes * 60,
            )
        value = await answer(turn)
        response: Response[Any] = Response(
            content=b"" if value is None else json_edge.encode(value),
            status_code=200,
            media_type="application/json;charset=UTF-8",
        )
    except Exception as error:
        response = envelope.render(error, request.url.path)
        # Basic credentials open nothing here; the header would make a browser ask the person for some.
        response.headers.pop("WWW-Authenticate", None)
    if turn is not None:
        response.headers[HEADER] = turn.next_token
    return response


def message_count(context: AppContext) -> ControllerRouterHandler:
    @get("/appinbox/v1/messages/count")
    async def handle(request: AnyRequest) -> Response[Any]:
        async def answer(turn: Turn) -> Unread:
            async with context.database.connection() as conn:
                return Unread(await store.count_unopened(conn, turn.org_id, turn.contact_id))

        return await serve(context, request, answer)

    return handle


def message_list(context: AppContext) -> ControllerRouterHandler:
    @get("/appinbox/v1/messages")
    async def handle(request: AnyRequest) -> Response[Any]:
        async def answer(turn: Turn) -> Any:
            query = request.query_params
            what = inbox.wanted(query.get("page"), query.get("pageSize"), query.get("status"))
            async with context.database.connection() as conn:
                return await inbox.read_page(conn, turn.org_id, turn.contact_id, what)

        return await serve(context, request, answer)

    return handle


def message_status(context: AppContext) -> ControllerRouterHandler:
    @post("/appinbox/v1/messages/status")
    async def handle(request: AnyRequest) -> Response[Any]:
        async def answer(turn: Turn) -> None:
            settings = context.settings
            raw = await body.read(request, limit=BODY_LIMIT, seconds=settings.request_timeout_seconds)
            change = json_edge.decode(raw, StatusChange)
            ids = inbox.ids_to_open(change, most=settings.app_inbox_messages)
            async with context.database.transaction() as conn:
                await store.open_messages(conn, turn.org_id, turn.contact_id, ids)

        return await serve(context, request, answer)

    return handle


PAGES = (message_count, message_list, message_status, widget_script)
