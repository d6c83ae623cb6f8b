"""/api/v4/webpush-domains: web-push domains and their keys."""

from __future__ import annotations

from perigee.http.v4 import Call, Page, operation
from perigee.push.webpush_keys import VapidKeys, WebPushSite, list_sites, replace


@operation("GET", "/webpush-domains", answer=Page[WebPushSite])
async def list_webpush_sites(call: Call) -> Page[WebPushSite]:
    """List the web-push domains with their public keys and how many browsers are subscribed."""
    async with call.context.database.connection() as conn:
        return Page(await list_sites(conn, call.org_id))


@operation(
    "PUT",
    "/webpush-domains/{app_id:int}/keys",
    body=VapidKeys,
    example={  # the pair of RFC 8291, section 5
        "public_key": "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8",
        "private_key": "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",
    },
    refusals=(409,),
)
async def replace_webpush_keys(call: Call) -> None:
    """Use an existing VAPID key pair, while no browser is subscribed under another."""
    keys = await call.json(VapidKeys)
    async with call.context.database.transaction() as conn:
        await replace(conn, call.org_id, call.path["app_id"], keys, call.context.keys.sealing)
