"""Which contact a visitor is (TRACKING 1.3): the rules, and what follows when one becomes known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from perigee.db.pool import Connection
from perigee.push import browsers
from perigee.site import store
from perigee.site.types import Bound, Strength


class Sighting(NamedTuple):
    """A visitor, and the contact that the site or a link says it is."""

    visitor_id: str | None
    contact_id: int | None
    strength: Strength


def bind(known: Mapping[str, Bound], sightings: Iterable[Sighting]) -> dict[str, Bound]:
    """The bindings that change, in the order of the sightings: an equal or stronger sign wins. Pure."""
    now = dict(known)
    for visitor, contact, strength in sightings:
        if visitor is None or contact is None:
            continue
        before = now.get(visitor)
        if before is None or strength >= before.bound_by:
            now[visitor] = Bound(contact, strength)
    return {visitor: bound for visitor, bound in now.items() if known.get(visitor) != bound}


async def resolve(conn: Connection, org_id: int, sightings: Sequence[Sighting]) -> list[int | None]:
    """The contact of each sighting: the one it names, unless its visitor is known by a stronger sign.

    Visitors who become known bring along what they did before, and their browser's web push joins their contact.
    """
    visitors = {sighting.visitor_id for sighting in sightings if sighting.visitor_id is not None}
    if not visitors:
        return [sighting.contact_id for sighting in sightings]
    known = await store.get_visitors(conn, org_id, sorted(visitors))
    changed = bind(known, sightings)
    if changed:
        await store.bind_visitors(conn, org_id, changed)
    now = {**known, **changed}
    if now:
        # Of all, not of the changed only: an event or subscription may have been written while its visitor was being
        # bound.
        contacts = {visitor: bound.contact_id for visitor, bound in now.items()}
        await browsers.join(conn, org_id, contacts)
        await store.adopt_events(conn, org_id, contacts)
    return [_contact(sighting, now) for sighting in sightings]


def _contact(sighting: Sighting, bindings: Mapping[str, Bound]) -> int | None:
    bound = bindings.get(sighting.visitor_id) if sighting.visitor_id is not None else None
    if bound is None or (sighting.contact_id is not None and sighting.strength >= bound.bound_by):
        return sighting.contact_id
    return bound.contact_id
