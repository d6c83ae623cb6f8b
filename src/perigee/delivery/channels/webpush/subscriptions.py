"""The browsers behind tokens, as the database knows them."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from perigee.db.columns import pack
from perigee.db.pool import Connection
from perigee.db.queries import load

q = load(__package__)


class Subscribed(NamedTuple):
    """`endpoint` is a secret: whoever knows it may send. `domain`: the site, with its scheme."""

    endpoint: str
    p256dh: bytes
    auth: bytes
    app_id: int
    domain: str
    vapid_public: str
    vapid_private: bytes
    """Sealed."""


async def find(conn: Connection, org_id: int, tokens: Collection[str]) -> dict[str, Subscribed]:
    """By token; those without a subscription, or whose site has no key, are missing."""
    cursor = await conn.execute(q.load_subscriptions, {"org_id": org_id, "tokens": pack(tokens)})
    return {token: Subscribed(*rest) for token, *rest in await cursor.fetchall()}
