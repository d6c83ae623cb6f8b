"""Removes people and everything that names them, in one transaction; only figures about nobody stay.

`db/tests/test_erasure_of_every_table.py` lists how each table is erased, and fails for one that is not on its list.
"""

from __future__ import annotations

from collections.abc import Sequence

from perigee.contacts.erasure import store
from perigee.contacts.erasure.person import Names
from perigee.db.pool import Connection, Database
from perigee.exports import store as exports
from perigee.files import store as data_files
from perigee.imports import store as imports
from perigee.site.store import erase_visitors

SWEEP_SECONDS = 300.0
"""After an erasure: by then no sender holds the people of a batch in memory any more (a lease is 30 s)."""


EXPORT_SECONDS = 60.0
"""An export that was begun longer than this after an erasure has nothing of the erased."""


async def erase_all(conn: Connection, org_id: int, contact_ids: Sequence[int]) -> list[int]:
    """Ids of those that there were.

    The ledger, the activity and the orders stay as figures about nobody. Of an address that must not be written
    to, a keyed hash stays in the suppression list. An address or an external id that another contact has, too, is
    that contact's: what is found only under it stays.
    """
    people = await store.identities(conn, org_id, contact_ids)
    if not people:
        return []
    names = Names(people)
    ids = sorted(names.contact_ids)
    await store.scrub_imports(conn, org_id, names)
    await imports.bar(conn, org_id, names.identities)
    await store.erase_contacts(conn, org_id, ids)
    await store.erase_traces(conn, org_id, ids)
    await erase_visitors(conn, org_id, ids)
    await store.erase_nobodys(conn, org_id, names)
    await store.erase_addresses(conn, org_id, names.addresses)
    await imports.erase(conn, org_id, ids, values=names.values, texts=names.texts)
    await exports.erase(conn, org_id, names)
    await data_files.erase(conn, org_id, sorted(names.emails))
    return sorted(names.contact_ids.intersection(contact_ids))


async def sweep(database: Database, seconds: float = SWEEP_SECONDS) -> int:
    """Takes from the erased what senders and receipts that had them in hand wrote since. Returns how many people."""
    async with database.connection() as conn:
        due = await store.due_for_sweep(conn, seconds)
    for org_id, contact_ids in due:
        async with database.transaction() as conn:
            await store.erase_traces(conn, org_id, contact_ids)
            await exports.sweep(conn, org_id, contact_ids, seconds - EXPORT_SECONDS)
            await store.forget_swept(conn, org_id, contact_ids)
    return sum(len(contact_ids) for _, contact_ids in due)
