"""Everything outside the two API faces: pages for people, tracking, health. Each entry makes one route handler."""

from __future__ import annotations

from collections.abc import Callable

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from perigee.appinbox import pages as appinbox_pages
from perigee.bounces import pages as bounce_pages
from perigee.consent import pages as consent_pages
from perigee.delivery import callback_page
from perigee.delivery import pages as delivery_pages
from perigee.delivery.channels.sandbox import pages as sandbox_pages
from perigee.exports import pages as export_pages
from perigee.http.context import AppContext
from perigee.messages import view as message_view
from perigee.observe import metrics_page
from perigee.openapi import pages as openapi_pages
from perigee.push import webpush_pages
from perigee.site import pages as site_pages

Page = Callable[[AppContext], ControllerRouterHandler]


def health(context: AppContext) -> ControllerRouterHandler:
    @get("/health", media_type="application/json")
    async def check() -> dict[str, str]:
        async with context.database.connection() as connection:
            await connection.execute("select 1")
        return {"status": "ok"}

    return check


def metrics(context: AppContext) -> ControllerRouterHandler:
    @get("/metrics", sync_to_thread=True)
    def show() -> Response[bytes]:
        content, media_type = metrics_page()
        return Response(content, media_type=media_type)

    return show


PAGES: tuple[Page, ...] = (
    health,
    metrics,
    *delivery_pages.PAGES,
    *callback_page.PAGES,
    *bounce_pages.PAGES,
    *consent_pages.PAGES,
    *sandbox_pages.PAGES,
    *message_view.PAGES,
    *appinbox_pages.PAGES,
    *openapi_pages.PAGES,
    *site_pages.PAGES,
    *export_pages.PAGES,
    *webpush_pages.PAGES,
)
