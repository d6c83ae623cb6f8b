"""The devices behind tokens, as the database knows them."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from perigee.db.columns import pack
from perigee.db.pool import Connection
from perigee.db.queries import load

q = load(__package__)

_APPLE: Final = re.compile(r"[0-9a-fA-F]{64,200}\Z")


class Device(NamedTuple):
    app_id: UUID
    credentials: bytes
    """Sealed."""
    registered_at: datetime


async def find(conn: Connection, org_id: int, tokens: Collection[str]) -> dict[str, Device]:
    """By token; those whose application has no keys are missing."""
    cursor = await conn.execute(q.load_devices, {"org_id": org_id, "tokens": pack(tokens)})
    return {
        token: Device(app_id, bytes(stored), registered)
        for token, app_id, stored, registered in await cursor.fetchall()
        if stored is not None
    }


def is_apples(token: str) -> bool:
    """APNs tokens are hexadecimal, those of FCM never are: also an iPhone that registered with Firebase has one."""
    return _APPLE.match(token) is not None
