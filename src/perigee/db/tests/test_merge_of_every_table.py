"""A new table that names contacts must go along when two of them are merged: it cannot be forgotten."""

from __future__ import annotations

from perigee.contacts.merging.places import ELSEWHERE, PLACES
from perigee.db.pool import Database

TABLES = """
select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
join pg_attribute a on a.attrelid = c.oid and a.attname = 'contact_id' and not a.attisdropped
where c.relkind in ('r', 'p') and not c.relispartition
"""


async def test_every_table_that_names_a_contact_goes_along(db: Database) -> None:
    async with db.connection() as conn:
        tables = {name for (name,) in await (await conn.execute(TABLES)).fetchall()}
    known = PLACES.keys() | ELSEWHERE.keys()
    assert tables - known == set(), "say in contacts/merging/places.py what a merge does with it"
    assert known - tables == set()
