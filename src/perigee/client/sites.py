"""The tracked site, and what is in a contact's cart."""

from __future__ import annotations

from perigee.client.transport import Transport, json
from perigee.client.types import Page
from perigee.site.cart import Cart
from perigee.site.status import SiteCheck, SiteStatus


async def list_sites(transport: Transport) -> list[SiteStatus]:
    """With what each reported today and yesterday."""
    page: Page[SiteStatus] = await transport.call("GET", "/api/v4/sites", json(Page[SiteStatus]))
    return list(page.items)


async def check_site(transport: Transport, site_id: str) -> SiteCheck:
    """Looks for the script in the site's first page; takes up to some seconds. Raises NotFound."""
    return await transport.call("POST", f"/api/v4/sites/{site_id}/check", json(SiteCheck))


async def contact_cart(transport: Transport, contact_id: int) -> Cart:
    """The last cart that was reported, and whether it was bought. Raises NotFound."""
    return await transport.call("GET", f"/api/v4/contacts/{contact_id}/cart", json(Cart))
