"""Mobile push tokens as applications ask about them (contract 11.6, 22.1, 22.2).

A token is named by its application and itself; one that was stored without an application is found by any.
"""

from __future__ import annotations

from typing import NamedTuple

from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.errors import NotFound
from perigee.segments import kinds
from perigee.segments.live.notes import changed

q = load(__package__)


class TokenState(NamedTuple):
    contact_id: int
    active: bool


async def find(conn: Connection, org_id: int, app_id: str, token: str) -> TokenState:
    """Raises NotFound for an unknown token, or one whose contact is deleted."""
    cursor = await conn.execute(q.find_token, {"org_id": org_id, "app_id": app_id, "token": token})
    row = await cursor.fetchone()
    if row is None:
        raise _unknown()
    return TokenState(*row)


async def set_active(conn: Connection, org_id: int, app_id: str, token: str, active: bool) -> None:
    """Raises NotFound."""
    cursor = await conn.execute(
        q.set_token_active, {"org_id": org_id, "app_id": app_id, "token": token, "active": active}
    )
    row = await cursor.fetchone()
    if row is None:
        raise _unknown()
    await changed(conn, org_id, [row[0]], kinds.TOKENS)


def _unknown() -> NotFound:
    return NotFound("The token is not found")
