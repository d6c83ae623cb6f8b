"""The organisation's site: one domain, one site id for good (contract 23.1, 23.2).

A second domain takes the place of the first and keeps the site id: the API has no other way to mend a mistyped
domain, and pages that carry the id go on working.
"""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from perigee.db.pool import Connection
from perigee.errors import Invalid
from perigee.lib.addresses import normal_domain
from perigee.lib.scalars import to_text
from perigee.site import store
from perigee.site.types import SiteDomain


def host_of(value: object, field: str = "domain") -> str:
    """The host in lower case and A-labels, of a bare host or of a whole address. Raises Invalid. Pure."""
    text = to_text(field, value)
    if text is None:
        raise Invalid(f"{field}: is required", field=field)
    try:
        host = urlsplit(text if "://" in text or text.startswith("//") else f"//{text}").hostname
    except ValueError:
        host = None
    domain = normal_domain(host) if host else None
    if domain is None:
        raise Invalid.of(field, text, "is not a domain name like shop.example.com")
    return domain


async def register(conn: Connection, org_id: int, value: object) -> tuple[SiteDomain, bool]:
    """The organisation's domain from now on, and whether it is its first."""
    return await store.put_domain(conn, org_id, host_of(value), secrets.token_hex(16).upper())
