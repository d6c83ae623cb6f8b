"""/api/v4/webpush-domains: web-push domains and their keys."""

from __future__ import annotations

from perigee.http.v4 import Call, Page, operation
from perigee.push.webpush_keys import VapidKeys, WebPushSite, list_sites, replace


@operation("GET", "/webpush-domains", answer=Page[WebPushSite])
async def list_webpush_sites(call: Call) -> Page[WebPushSite]:
    """List the web-push domains with their public keys and how many browsers are subscribed."""
    async with call.context.database.connection() as conn:
        return Page(await list_sites(conn, call.org_id))


@operation("PUT", "/webpush-domains/{app_id:int}/keys", body=VapidKeys, refusals=(404, 409))
async def replace_webpush_keys(call: Call) -> None:
    """Use an existing VAPID key pair, while no browser is subscribed under another."""
    keys = await call.json(VapidKeys)
    async with call.context.database.transaction() as conn:
        await replace(conn, call.org_id, call.path["app_id"], keys, call.context.keys.sealing)
