"""What the tracker took in, written set-wise: `track` is what the group commit of the tracker applies."""

from __future__ import annotations

from collections.abc import Sequence

from perigee.db import plans
from perigee.db.pool import Connection
from perigee.events.people import find
from perigee.events.record import record
from perigee.events.types import Identity, NewEvent
from perigee.events.types_registry import ensure_types
from perigee.site import store
from perigee.site.types import Strength, Tracked
from perigee.site.visitors import Sighting, resolve

SOURCE = "tracker"


async def track(conn: Connection, org_id: int, items: Sequence[Tracked]) -> list[None]:
    """Binds visitors and records events. No contact is made or changed: anybody may call the tracker (TRACKING 2.4).

    An event whose visitor is nobody yet is kept without a contact, and joins the contact when there is one.
    """
    await plans.by_key(conn)
    contacts = await resolve(conn, org_id, await _sightings(conn, org_id, items))
    admitted = await _admit(conn, org_id, items)
    await _record(
        conn,
        org_id,
        [
            (item, contact_id)
            for item, contact_id, is_new in zip(items, contacts, admitted, strict=True)
            if item.type_key is not None and is_new
        ],
    )
    return [None] * len(items)


async def _sightings(conn: Connection, org_id: int, items: Sequence[Tracked]) -> list[Sighting]:
    """Whom each item names. A contact id, which any forwarded link carries, counts only where no name leads anywhere."""
    named = await find(conn, org_id, [item.who._replace(contact_id=None) for item in items], narrow=True)
    links = [
        Identity() if person else Identity(contact_id=item.who.contact_id)
        for item, person in zip(items, named, strict=True)
    ]
    linked = await find(conn, org_id, links, narrow=True)
    return [
        Sighting(item.visitor_id, name.contact_id, Strength.NAMED)
        if name
        else Sighting(item.visitor_id, link.contact_id if link else None, Strength.LINK)
        for item, name, link in zip(items, named, linked, strict=True)
    ]


async def _admit(conn: Connection, org_id: int, items: Sequence[Tracked]) -> list[bool]:
    """Per item: is it new? One is not when any of its keys was brought before, or by an earlier item."""
    keys = {key for item in items for key in item.once}
    if not keys:
        return [True] * len(items)
    free = await store.admit_once(conn, org_id, sorted(keys))
    admitted = []
    for item in items:
        admitted.append(free.issuperset(item.once))
        free.difference_update(item.once)
    return admitted


async def _record(conn: Connection, org_id: int, events: Sequence[tuple[Tracked, int | None]]) -> None:
    if not events:
        return
    types = await ensure_types(conn, org_id, {item.type_key for item, _ in events if item.type_key})
    ids = await record(
        conn,
        org_id,
        [
            NewEvent(
                item.type_key or "",
                item.event_key,
                contact_id,
                occurred_at=item.occurred_at,
                params=item.params,
                source=SOURCE,
            )
            for item, contact_id in events
        ],
        types=types,
    )
    waiting = [
        (item.visitor_id, item.occurred_at, event_id)
        for (item, contact_id), event_id in zip(events, ids, strict=True)
        if contact_id is None and item.visitor_id is not None and types[item.type_key or ""].use_for_segments
    ]
    if waiting:
        await store.insert_visitor_events(conn, org_id, waiting)
