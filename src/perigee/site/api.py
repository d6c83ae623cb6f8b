"""/api/v4/sites, and a contact's cart."""

from __future__ import annotations

from perigee.http.v4 import Call, Page, operation
from perigee.lib.outside import Outside, Rules
from perigee.site import cart, status
from perigee.site.cart import Cart
from perigee.site.status import SiteCheck, SiteStatus


@operation(
    "GET",
    "/sites",
    answer=Page[SiteStatus],
    answer_example={
        "items": [
            {
                "site_id": "8A412DC0E5F34B7FA5900704ECCFF2B5",
                "domain": "shop.example.com",
                "script": "https://perigee.example.com/scripts/8A412DC0E5F34B7FA5900704ECCFF2B5.js",
                "today": {"pageViewed": 1204, "cartUpdated": 31},
                "yesterday": {"pageViewed": 2310},
                "last_event_at": "2026-03-02T11:20:45Z",
            }
        ]
    },
)
async def list_sites(call: Call) -> Page:
    """List the tracked site with what it reported today and yesterday."""
    context = call.context
    async with context.database.connection() as conn:
        return Page(await status.statuses(conn, call.org_id, context.settings.public_url, context.now()))


@operation("POST", "/sites/{site_id:str}/check", answer=SiteCheck)
async def check_site(call: Call) -> SiteCheck:
    """Look whether the site's first page holds the tracking script; takes up to some seconds."""
    settings = call.context.settings
    site_id = call.path["site_id"]
    async with call.context.database.connection() as conn:
        domain = await status.domain_of(conn, call.org_id, site_id)
    async with Outside(Rules.of(settings.outside_networks, settings.outside_ports)) as outside:
        return await status.check(outside, f"https://{domain}/", site_id)


@operation(
    "GET",
    "/contacts/{contact_id:int}/cart",
    answer=Cart,
    answer_example={
        "status": "open",
        "products": [{"product_id": "SKU-1", "price": 9.5, "quantity": 2, "details": {"color": ["blue"]}}],
        "total": 19,
        "currency": "EUR",
        "state_id": "6F9619FF-0000-4000-8000-00CF4FC964FF",
        "updated_at": "2026-03-02T11:20:45Z",
    },
)
async def get_contact_cart(call: Call) -> Cart:
    """Read what is in a contact's cart, and whether it was bought."""
    async with call.context.database.connection() as conn:
        return await cart.cart_of(conn, call.org_id, call.path["contact_id"])
