"""Typed access to web-push domains, applications and muted tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

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


async def insert_app(conn: Connection, org_id: int, app_id: UUID, kind: str, name: str) -> bool:
    """False when the id is taken."""
    values = {"org_id": org_id, "app_id": app_id, "kind": kind, "name": name}
    return (await conn.execute(q.insert_app, values)).rowcount > 0


async def list_apps(conn: Connection, org_id: int) -> list[tuple[UUID, Any, str]]:
    """(id, kind, name)."""
    return await (await conn.execute(q.list_apps, {"org_id": org_id})).fetchall()


async def app_kind(conn: Connection, org_id: int, app_id: UUID) -> str | None:
    row = await (await conn.execute(q.app_kind, {"org_id": org_id, "app_id": app_id})).fetchone()
    return None if row is None else str(row[0])


async def delete_app(conn: Connection, org_id: int, app_id: UUID) -> bool:
    return (await conn.execute(q.delete_app, {"org_id": org_id, "app_id": app_id})).rowcount > 0


async def mute_token(conn: Connection, org_id: int, app_id: str, token: str, seconds: int | None) -> bool:
    """`seconds` None: for ever. False when there is no such Telegram token."""
    values = {"org_id": org_id, "app_id": app_id, "token": token, "seconds": seconds}
    return (await conn.execute(q.mute_token, values)).rowcount > 0


async def unmute_token(conn: Connection, org_id: int, app_id: str, token: str) -> bool:
    values = {"org_id": org_id, "app_id": app_id, "token": token}
    return (await conn.execute(q.unmute_token, values)).rowcount > 0


async def app_credentials(
    conn: Connection, org_id: int, app_id: UUID, *, lock: bool = False
) -> tuple[str, bytes | None] | None:
    """(kind, sealed credentials) of an application."""
    statement = q.lock_app_credentials if lock else q.app_credentials
    return await (await conn.execute(statement, {"org_id": org_id, "app_id": app_id})).fetchone()


async def set_app_credentials(conn: Connection, org_id: int, app_id: UUID, stored: bytes | None) -> None:
    await conn.execute(q.set_app_credentials, {"org_id": org_id, "app_id": app_id, "stored": stored})
