"""Web push over HTTP for browsers: scripts, subscriptions, events, reports (TRACKING 4 and 10). No credentials.

A page or worker names its site by the public VAPID key. A browser says whose page it runs (`Origin`): only the
domain's own pages may subscribe, so that another site cannot collect permission in its name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC
from typing import Any, TypeVar

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from perigee.errors import Forbidden, Invalid, NotFound
from perigee.esputnik import envelope
from perigee.http import body as bodies
from perigee.http.body import AnyRequest
from perigee.http.client_address import client_address
from perigee.http.context import AppContext
from perigee.lib import json_edge
from perigee.lib.remembered import Remembered
from perigee.lib.scalars import to_text
from perigee.push import push_events, webpush_intake, webpush_store
from perigee.push.interactions import report
from perigee.push.subscriptions import subscribe
from perigee.push.webpush_types import PushEventIn, PushSite, ReportIn, Subscribed, SubscriptionIn
from perigee.site import javascript
from perigee.site.flood import Flood

T = TypeVar("T")

ADDRESSES = {
    "subscriptions": "/webpush/subscriptions",
    "events": "/webpush/events",
    "reports": "/webpush/reports",
}


class PushSites:
    """Domains by their public key, remembered for a minute."""

    def __init__(self, context: AppContext) -> None:
        async def look(key: str) -> PushSite | None:
            async with context.database.connection() as connection:
                return await webpush_store.find_by_key(connection, key)

        self._kept = Remembered(look)

    async def find(self, key: str) -> PushSite | None:
        return await self._kept.get(key)

    async def get(self, key: str) -> PushSite:
        """Raises Invalid."""
        found = await self.find(key)
        if found is None:
            raise Invalid.of("site", key, "is not the key of a web-push domain")
        return found


def settings_of(site: PushSite, public_url: str) -> dict[str, Any]:
    """What the page's script is called with. Pure."""
    return {
        "base": public_url,
        "site": site.key,
        "worker": site.worker_path + site.worker_name,
        "scope": site.worker_scope,
    }


def page_script(context: AppContext) -> ControllerRouterHandler:
    sites = PushSites(context)

    @get("/webpush/{name:str}")
    async def handle(request: AnyRequest, name: FromPath[str]) -> Response[Any]:
        site = await sites.find(name.removesuffix(".js")) if name.endswith(".js") else None
        if site is None:
            return envelope.render(NotFound("No such script"), request.url.path)
        source = javascript.asset("perigee.push", "page.js")
        return javascript.answer(
            request, javascript.with_settings(source, settings_of(site, context.settings.public_url))
        )

    return handle


def worker_script(context: AppContext) -> ControllerRouterHandler:
    """One worker for all sites: shops import it into their own file (TRACKING 4.1)."""

    @get("/service-worker.js")
    async def handle(request: AnyRequest) -> Response[Any]:
        source = javascript.asset("perigee.push", "worker.js")
        text = javascript.with_settings(source, {"base": context.settings.public_url})
        return javascript.answer(request, text, headers={"Service-Worker-Allowed": "/"})

    return handle


class Intake:
    """What every public POST of web push goes through."""

    def __init__(self, context: AppContext) -> None:
        self.context = context
        self.sites = PushSites(context)
        self._flood = Flood.of(context.settings)

    async def read(self, request: AnyRequest, kind: type[T]) -> T:
        """Raises Limited, TooLarge, Invalid."""
        self._flood.admit(client_address(request))
        settings = self.context.settings
        raw = await bodies.read(
            request,
            limit=settings.max_event_body_kb * 1024,
            seconds=settings.request_timeout_seconds,
        )
        return json_edge.decode(raw, kind)

    async def site(self, request: AnyRequest, key: str) -> PushSite:
        """Raises Invalid, Forbidden."""
        site = await self.sites.get(key)
        origin = request.headers.get("origin")
        if origin is not None and origin != site.domain:
            raise Forbidden(f"pages of {origin[:100]} may not speak for {site.domain}")
        return site


def _answered(
    take: Callable[[AnyRequest], Awaitable[Any]],
) -> Callable[[AnyRequest], Awaitable[Response[Any]]]:
    async def handle(request: AnyRequest) -> Response[Any]:
        try:
            value = await take(request)
        except Exception as error:
            return envelope.render(error, request.url.path)
        content = b"" if value is None else json_edge.encode(value)
        return Response(content, media_type="application/json", headers={"Cache-Control": "no-store"})

    return handle


def take_subscription(context: AppContext) -> ControllerRouterHandler:
    intake = Intake(context)
    commit = context.group_commit(subscribe)
    services = context.settings.push_services.split()

    async def take(request: AnyRequest) -> Subscribed:
        body = await intake.read(request, SubscriptionIn)
        site = await intake.site(request, body.site)
        subscription = webpush_intake.subscription(
            body,
            site,
            services=services,
            agent=request.headers.get("user-agent", ""),
            address=client_address(request),
        )
        subscribed: Subscribed = await commit.submit(site.org_id, subscription)
        return subscribed

    return post(ADDRESSES["subscriptions"], status_code=200)(_answered(take))


def take_push_event(context: AppContext) -> ControllerRouterHandler:
    intake = Intake(context)
    commit = context.group_commit(push_events.post)

    async def take(request: AnyRequest) -> None:
        body = await intake.read(request, PushEventIn)
        site = await intake.site(request, body.site)
        await commit.submit(site.org_id, push_events.clean(body))

    return post(ADDRESSES["events"], status_code=200)(_answered(take))


def take_report(context: AppContext) -> ControllerRouterHandler:
    """What the worker saw of a message: the same as an application's report (contract 22.6), by its own token."""
    intake = Intake(context)
    commit = context.group_commit(report.record)

    async def take(request: AnyRequest) -> None:
        body = await intake.read(request, ReportIn)
        site = await intake.site(request, body.site)
        interaction = to_text("interactionId", body.interaction_id) or ""
        message = report.read_interaction(context.keys.message_ids, site.org_id, interaction)
        one = report.clean(message, token=body.token, status=body.status, zone=UTC)
        await commit.submit(site.org_id, one)

    return post(ADDRESSES["reports"], status_code=200)(_answered(take))


PAGES = (page_script, worker_script, take_subscription, take_push_event, take_report)
