"""Typed access to the site's tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from perigee.db.columns import pack, pack_numbers
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.segments import kinds
from perigee.segments.live.notes import changed
from perigee.site.types import Bound, Site, SiteDomain

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


async def find_site(conn: Connection, site_id: str) -> Site | None:
    row = await (await conn.execute(q.find_site, {"site_id": site_id})).fetchone()
    return None if row is None else Site(*row)


async def find_site_of_organisation(conn: Connection, org_id: int) -> Site | None:
    row = await (await conn.execute(q.find_site_of_organisation, {"org_id": org_id})).fetchone()
    return None if row is None else Site(*row)


async def get_visitors(conn: Connection, org_id: int, visitors: Iterable[str]) -> dict[str, Bound]:
    """Those whose contact is known."""
    cursor = await conn.execute(q.get_visitors, {"org_id": org_id, "visitors": pack(visitors)})
    return {visitor: Bound(*bound) for visitor, *bound in await cursor.fetchall()}


async def bind_visitors(conn: Connection, org_id: int, bindings: Mapping[str, Bound]) -> None:
    await conn.execute(
        q.bind_visitors,
        {
            "org_id": org_id,
            "visitors": pack(bindings),
            "contacts": pack_numbers(bound.contact_id for bound in bindings.values()),
            "strengths": pack_numbers(bound.bound_by for bound in bindings.values()),
        },
    )


async def adopt_events(conn: Connection, org_id: int, contacts: Mapping[str, int]) -> None:
    """`contacts`: contact by visitor."""
    await conn.execute(
        q.adopt_events,
        {"org_id": org_id, "visitors": pack(contacts), "contacts": pack_numbers(contacts.values())},
    )
    await changed(conn, org_id, contacts.values(), kinds.EVENTS)


async def insert_visitor_events(
    conn: Connection, org_id: int, waiting: Sequence[tuple[str, datetime, int]]
) -> None:
    """(visitor, moment, event id) of events of nobody."""
    await conn.execute(
        q.insert_visitor_events,
        {
            "org_id": org_id,
            "visitors": pack(visitor for visitor, _, _ in waiting),
            "occurred": pack(at.isoformat() for _, at, _ in waiting),
            "event_ids": pack_numbers(event_id for _, _, event_id in waiting),
        },
    )


async def admit_once(conn: Connection, org_id: int, keys: Iterable[str]) -> set[str]:
    """The keys that are new."""
    cursor = await conn.execute(q.admit_once, {"org_id": org_id, "keys": pack(keys)})
    return {key for (key,) in await cursor.fetchall()}


async def site_counts(conn: Connection, org_id: int, now: datetime) -> list[tuple[str, str, int, datetime]]:
    """(`today` or `yesterday`, type, events, the last of them) of what the tracker took in."""
    cursor = await conn.execute(q.site_counts, {"org_id": org_id, "now": now})
    return await cursor.fetchall()


class LastCart(NamedTuple):
    updated_at: datetime
    params: dict[str, Any]
    state_id: str | None
    external_order_id: str | None
    bought: bool


async def last_cart(conn: Connection, org_id: int, contact_id: int) -> LastCart | None:
    cursor = await conn.execute(q.last_cart, {"org_id": org_id, "contact_id": contact_id})
    row = await cursor.fetchone()
    return None if row is None else LastCart(row[0], row[1], row[2], row[3], bool(row[4]))


async def prune(conn: Connection, days: int) -> None:
    """Ends the waiting of old events for a contact, and forgets what old orders and carts were counted by."""
    await conn.execute(q.prune_visitor_events, {"days": days})
    await conn.execute(q.prune_tracked_once, {"days": days})


async def erase_visitors(conn: Connection, org_id: int, contact_ids: Sequence[int]) -> None:
    """Who the visitors of erased contacts were."""
    await conn.execute(q.erase_visitors, {"org_id": org_id, "contact_ids": list(contact_ids)})
