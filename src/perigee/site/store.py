"""Typed access to the site's table."""

from __future__ import annotations

from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.site.types import SiteDomain

q = load(__package__)


async def get_domain(conn: Connection, org_id: int) -> SiteDomain | None:
    row = await (await conn.execute(q.get_domain, {"org_id": org_id})).fetchone()
    return None if row is None else SiteDomain(*row)


async def put_domain(conn: Connection, org_id: int, domain: str, site_id: str) -> tuple[SiteDomain, bool]:
    """The domain as it now stands, and whether it is the organisation's first. `site_id` is for that case."""
    cursor = await conn.execute(q.put_domain, {"org_id": org_id, "domain": domain, "site_id": site_id})
    row = await cursor.fetchone()
    assert row is not None
    return SiteDomain(row[0], row[1]), row[2]
