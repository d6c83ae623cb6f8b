"""The tracker over HTTP (TRACKING 2 and 10): no credentials, anybody's page, one body one event.

`POST /tracker/api/v2` on any host name, `POST /api/v2` on a host that stands for the tracker's, and `/logs/v1/plugin`.
The answer has no body; nobody reads one. Browsers of any origin may call, without credentials (http/edge.py).
"""

from __future__ import annotations

from typing import Any

from litestar import Response, post
from litestar.types import ControllerRouterHandler

from perigee.errors import Invalid
from perigee.esputnik import envelope
from perigee.http import body as bodies
from perigee.http.body import AnyRequest
from perigee.http.client_address import client_address
from perigee.http.context import AppContext
from perigee.lib import json_edge
from perigee.site import intake, product_updates
from perigee.site.bots import is_bot
from perigee.site.flood import Flood
from perigee.site.sites import Sites
from perigee.site.track import track


class Tracker:
    """What one process needs to take events in."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._sites = Sites(context.database)
        self._flood = Flood.of(context.settings)
        self._events = context.group_commit(track)
        self._products = context.group_commit(product_updates.apply)

    async def take(self, request: AnyRequest) -> None:
        """Returns once the event is committed. Raises Limited, TooLarge, Invalid."""
        self._flood.admit(client_address(request))
        body = intake.read_body(json_edge.decode(await self._read(request)))
        if intake.is_log_record(body) or is_bot(request.headers.get("user-agent", "")):
            return
        if "GeneralInfo" in body:
            await self._event(body)
        elif "webId" in body:
            org_id, binding = intake.webcontact(body, self._context.now())
            site = await self._sites.by_organisation(org_id)
            await self._events.submit(site.org_id, binding)
        else:
            raise Invalid("GeneralInfo: is required", field="GeneralInfo")

    async def _event(self, body: dict[str, Any]) -> None:
        general = intake.general_info(body)
        site = await self._sites.by_id(intake.site_id(general))
        now = self._context.now()
        if intake.event_name(general) == product_updates.NAME:
            rows = product_updates.read(body.get(product_updates.NAME), site.domain, now)
            await self._products.submit(site.org_id, rows)
        elif not intake.refuses_tracking(general):
            await self._events.submit(site.org_id, intake.event(body, general, now))

    async def _read(self, request: AnyRequest) -> bytes:
        settings = self._context.settings
        return await bodies.read(
            request, limit=settings.max_tracker_body_kb * 1024, seconds=settings.request_timeout_seconds
        )


def take_event(context: AppContext) -> ControllerRouterHandler:
    tracker = Tracker(context)

    @post(["/tracker/api/v2", "/api/v2"], status_code=200)
    async def handle(request: AnyRequest) -> Response[Any]:
        try:
            await tracker.take(request)
        except Exception as error:
            return envelope.render(error, request.url.path)
        return Response(b"", media_type="text/plain", headers={"Cache-Control": "no-store"})

    return handle


def plugin_log(context: AppContext) -> ControllerRouterHandler:
    """Plugins report about themselves; the records can hold personal data and an API key, and are dropped unread."""

    @post("/logs/v1/plugin", status_code=200)
    async def handle() -> Response[Any]:
        return Response(b"", media_type="text/plain", headers={"Cache-Control": "no-store"})

    return handle
