"""What browsers ask of the site's part: the tracker and its script (TRACKING 10)."""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from perigee.errors import NotFound
from perigee.esputnik import envelope
from perigee.http.body import AnyRequest
from perigee.http.context import AppContext
from perigee.site import javascript
from perigee.site.recommendations import take_question
from perigee.site.sites import Sites
from perigee.site.tracker import plugin_log, take_event


def tracking_script(context: AppContext) -> ControllerRouterHandler:
    """`/scripts/<site id>.js`."""
    sites = Sites(context.database)

    @get("/scripts/{name:str}")
    async def handle(request: AnyRequest, name: FromPath[str]) -> Response[Any]:
        site = await sites.find(name.removesuffix(".js")) if name.endswith(".js") else None
        if site is None:
            return envelope.render(NotFound("No such script"), request.url.path)
        settings = {"base": context.settings.public_url, "orgId": site.org_id, "siteId": site.site_id}
        source = javascript.asset("perigee.site", "tracker.js")
        return javascript.answer(request, javascript.with_settings(source, settings))

    return handle


PAGES = (take_event, plugin_log, tracking_script, take_question)
