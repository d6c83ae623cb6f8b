"""Finds the contacts that events and orders are about, and makes those that nobody is yet.

An existing contact is never changed here (contract 7.2). A contact is made from an external id, an email or a
phone, by contacts.upsert, which looks again under its locks: two callers who bring the same new person at the same
moment end with one contact.
"""

from __future__ import annotations

from collections.abc import Sequence

from perigee.contacts.policy import ORDER, Match, Policy, Write
from perigee.contacts.rows import ContactRow
from perigee.contacts.upsert import Done, upsert
from perigee.db.pool import Connection
from perigee.events import store
from perigee.events.types import Identity, Person

NARROW = Policy(Match(("email", "phone"), "unowned"), Write(touch=False), source="event")
"""An event makes a contact when nobody matches and changes nobody; a foreign external id is somebody else."""


async def find(
    conn: Connection, org_id: int, identities: Sequence[Identity], *, narrow: bool
) -> list[Person | None]:
    """One answer per identity. `narrow`: an address does not lead to a contact with another external id."""
    distinct = {identity[:6]: identity for identity in identities if any(identity[:6])}
    if not distinct:
        return [None] * len(identities)
    matched = await store.match_people(conn, org_id, list(distinct.values()), narrow=narrow)
    found = dict(zip(distinct, matched, strict=True))
    return [found.get(identity[:6]) for identity in identities]


async def find_or_create(
    conn: Connection,
    org_id: int,
    identities: Sequence[Identity],
    *,
    narrow: bool,
    create: Sequence[bool] | None = None,
) -> list[Person | None]:
    """As `find`; those not found become contacts, where `create` allows it (None = everywhere)."""
    people = await find(conn, org_id, identities, narrow=narrow)
    missing = [
        index
        for index, person in enumerate(people)
        if person is None and can_create(identities[index]) and (create is None or create[index])
    ]
    if not missing:
        return people
    rows = [_row(identities[index]) for index in missing]
    made = await upsert(conn, org_id, rows, NARROW if narrow else ORDER)
    known = [Identity(contact_id=one.contact_id if isinstance(one, Done) else None) for one in made]
    for index, person in zip(missing, await find(conn, org_id, known, narrow=False), strict=True):
        people[index] = person
    return people


def can_create(identity: Identity) -> bool:
    return bool(identity.external_id or identity.email or identity.phone)


def _row(who: Identity) -> ContactRow:
    return ContactRow(
        external_id=who.external_id,
        email=who.email,
        phone=who.phone,
        first_name=who.first_name,
        last_name=who.last_name,
    )
