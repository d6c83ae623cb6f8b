"""Typed access to the web-push domains."""

from __future__ import annotations

from collections.abc import Sequence

from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.push.types import WebPushDomain

q = load(__package__)


async def list_domains(conn: Connection, org_id: int) -> list[WebPushDomain]:
    cursor = await conn.execute(q.list_domains, {"org_id": org_id})
    return [WebPushDomain(*row) for row in await cursor.fetchall()]


async def insert_domains(
    conn: Connection, org_id: int, domains: Sequence[WebPushDomain]
) -> dict[str, WebPushDomain]:
    """All of them as they now stand in the database, new or known, by domain."""
    names = [domain.domain for domain in domains]
    await conn.execute(
        q.insert_domains,
        {
            "org_id": org_id,
            "domains": names,
            "names": [domain.service_worker_name for domain in domains],
            "paths": [domain.service_worker_path for domain in domains],
            "scopes": [domain.service_worker_scope for domain in domains],
        },
    )
    cursor = await conn.execute(q.get_domains, {"org_id": org_id, "domains": names})
    return {row[0]: WebPushDomain(*row) for row in await cursor.fetchall()}


async def delete_domain(conn: Connection, org_id: int, domain: str) -> bool:
    cursor = await conn.execute(q.delete_domain, {"org_id": org_id, "domain": domain})
    return cursor.rowcount > 0
