"""Behind the tokens of mobile apps and bots: the application, and with what it is reached."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from perigee.db.columns import pack
from perigee.db.pool import Connection
from perigee.db.queries import load

q = load(__package__)


class Device(NamedTuple):
    app_id: UUID
    credentials: bytes
    """Sealed."""
    registered_at: datetime


async def find(conn: Connection, org_id: int, kind: str, tokens: Collection[str]) -> dict[str, Device]:
    """By token; those whose application has no keys are missing."""
    cursor = await conn.execute(q.load_devices, {"org_id": org_id, "kind": kind, "tokens": pack(tokens)})
    return {
        token: Device(app_id, bytes(stored), registered)
        for token, app_id, stored, registered in await cursor.fetchall()
        if stored is not None
    }
