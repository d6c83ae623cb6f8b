"""Everything an organisation has, as digests of its rows: for tests that something changed nothing."""

from __future__ import annotations

from typing import Any

from perigee.testing.api import Api

UNWATCHED = frozenset({"api_key", "rate_bucket", "event_error"})
"""What any call may change: when its key was used, how fast callers are, and what was refused of an event and why."""


async def digest(api: Api) -> dict[str, Any]:
    """For each table with organisations in it, all rows of the organisation of `api`."""
    tables = await api.rows(
        "select c.table_name from information_schema.columns c join information_schema.tables t "
        "using (table_schema, table_name) where c.table_schema = 'public' and c.column_name = 'org_id' "
        "and t.table_type = 'BASE TABLE' order by 1"
    )
    parts = [
        f"select '{name}', md5(string_agg(t::text, '|' order by t::text)) from {name} t where org_id = %(org_id)s"
        for (name,) in tables
        if name not in UNWATCHED
    ]
    assert len(parts) > 40
    return dict(await api.rows(" union all ".join(parts)))
