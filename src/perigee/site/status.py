"""Whether a site reports: what came in today and yesterday, and whether its pages hold the script (product.md 10)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from perigee.db.pool import Connection
from perigee.errors import Invalid, NotFound
from perigee.lib.outside import Limits, Outside
from perigee.site import store

LIMITS = Limits(size=5_000_000, total=15.0, idle=8.0)


class SiteStatus(msgspec.Struct, omit_defaults=True):
    """`today` and `yesterday` count events by type, by the organisation's time zone."""

    site_id: str
    domain: str
    script: str
    """Where the tracking script is served."""
    today: dict[str, int] = msgspec.field(default_factory=dict)
    yesterday: dict[str, int] = msgspec.field(default_factory=dict)
    last_event_at: datetime | None = None
    """Absent: nothing came in these two days."""


class SiteCheck(msgspec.Struct, omit_defaults=True):
    status: Literal["connected", "script_not_installed", "unreachable"]
    url: str
    """The page that was looked at."""
    error: str | None = None
    """Why it could not be read."""


async def statuses(conn: Connection, org_id: int, public_url: str, now: datetime) -> list[SiteStatus]:
    """The organisation's site, if it has one."""
    found = await store.get_domain(conn, org_id)
    if found is None:
        return []
    status = SiteStatus(found.site_id, found.domain, f"{public_url}/scripts/{found.site_id}.js")
    for day, key, count, last in await store.site_counts(conn, org_id, now):
        (status.today if day == "today" else status.yesterday)[key] = count
        status.last_event_at = max(status.last_event_at or last, last)
    return [status]


async def domain_of(conn: Connection, org_id: int, site_id: str) -> str:
    """Raises NotFound."""
    found = await store.get_domain(conn, org_id)
    if found is None or found.site_id != site_id.upper():
        raise NotFound(f"Site {site_id} is not found")
    return found.domain


async def check(outside: Outside, url: str, site_id: str) -> SiteCheck:
    """Reads a page, as a visitor without scripts gets it.

    A script that a tag manager brings is not seen; then the counters tell.
    """
    try:
        async with outside.get(url, limits=LIMITS, field="domain") as reply:
            reply.require_ok()
            page = await reply.read()
    except Invalid as error:
        return SiteCheck("unreachable", url, error.message)
    return SiteCheck("connected" if site_id.upper().encode() in page.upper() else "script_not_installed", url)
