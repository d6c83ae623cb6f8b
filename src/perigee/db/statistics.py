"""What the planner knows of tables that have just been filled.

PostgreSQL looks at its tables once a minute. Until then a table that a bulk call has filled counts as one of a row,
and a segment or an audience over it is joined row against row: 20 s instead of 20 ms for 23,000 people on a list.
So who writes in bulk looks afterwards whether a table has outgrown what is known of it. The size of its file says
that at once and exactly; the counters of changed rows come later.
"""

from __future__ import annotations

from psycopg import sql

from perigee.db.pool import Database

_SMALL = 40
"""Pages that a table may grow by without anybody needing to know better."""

_OUTGROWN = """
select relname from pg_class
where relnamespace = current_schema()::regnamespace and relkind = 'r'
  and pg_relation_size(oid) / current_setting('block_size')::int > 2 * relpages + %s
  and pg_try_advisory_xact_lock(hashtext('perigee statistics'), oid::int)
order by relname
"""


async def refresh(database: Database) -> list[str]:
    """Analyses every table that is more than twice as large as when it was last looked at; returns their names.

    A table that another process is at is left to it. Cheap when there is nothing to do (0.3 ms).
    """
    async with database.transaction() as conn:
        tables = [row[0] for row in await (await conn.execute(_OUTGROWN, [_SMALL])).fetchall()]
        for table in tables:
            await conn.execute(sql.SQL("analyze {}").format(sql.Identifier(table)))
    return tables
