"""Typed access to the tables of web push."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from perigee.db.columns import pack
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.push.webpush_types import PushSite, Subscription
from perigee.segments import kinds
from perigee.segments.live.notes import changed

q = load(__package__)


async def find_scripts(conn: Connection, org_id: int, domains: Sequence[str]) -> PushSite | None:
    cursor = await conn.execute(q.webpush_scripts, {"org_id": org_id, "domains": list(domains)})
    row = await cursor.fetchone()
    return None if row is None else PushSite(*row)


async def set_keys(conn: Connection, org_id: int, app_id: int, public: str, private: bytes) -> None:
    """Changes nothing where there are keys already."""
    await conn.execute(
        q.set_vapid_keys, {"org_id": org_id, "app_id": app_id, "public": public, "private": private}
    )


async def find_by_key(conn: Connection, public: str) -> PushSite | None:
    row = await (await conn.execute(q.webpush_site_by_key, {"public": public})).fetchone()
    return None if row is None else PushSite(*row)


async def living(conn: Connection, org_id: int, contact_ids: Collection[int]) -> dict[int, bool]:
    """Those that are not deleted: has it a language?"""
    if not contact_ids:
        return {}
    cursor = await conn.execute(q.living_contacts, {"org_id": org_id, "contact_ids": list(contact_ids)})
    return dict(await cursor.fetchall())


async def holders(conn: Connection, org_id: int, tokens: Collection[str]) -> dict[str, int]:
    """Contact by token, of the tokens that there are."""
    if not tokens:
        return {}
    cursor = await conn.execute(q.holders_of_webpush_tokens, {"org_id": org_id, "tokens": pack(tokens)})
    return dict(await cursor.fetchall())


async def put_subscriptions(
    conn: Connection, org_id: int, subscriptions: Sequence[Subscription]
) -> dict[str, bool]:
    """By endpoint: is it new? Their tokens must be stored, each endpoint once."""
    cursor = await conn.execute(
        q.put_webpush_subscriptions,
        {
            "org_id": org_id,
            "tokens": [one.token for one in subscriptions],
            "app_ids": [one.app_id for one in subscriptions],
            "endpoints": [one.endpoint for one in subscriptions],
            "p256dhs": [one.p256dh for one in subscriptions],
            "auths": [one.auth for one in subscriptions],
            "visitors": [one.visitor_id for one in subscriptions],
        },
    )
    return dict(await cursor.fetchall())


async def drop_tokens(conn: Connection, org_id: int, tokens: Sequence[str]) -> None:
    if tokens:
        cursor = await conn.execute(q.drop_webpush_tokens, {"org_id": org_id, "tokens": pack(tokens)})
        losers = [contact_id for (contact_id,) in await cursor.fetchall()]
        await changed(conn, org_id, losers, kinds.TOKENS)
