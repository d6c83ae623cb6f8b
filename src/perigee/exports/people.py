"""Exports of people: who is in them is noted at the start, so that the file is of one moment and may be continued."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from perigee.campaigns.follow import people_sql
from perigee.db.pool import Connection
from perigee.errors import Invalid
from perigee.exports import store
from perigee.exports.types import ExportCreate, Row, Rows
from perigee.lib import json_edge
from perigee.segments.compile import Compiled, compile_ids
from perigee.segments.conditions import read
from perigee.segments.narrow import narrow
from perigee.segments.reading import Reading, read_segment, read_tree
from perigee.segments.store import bound

TIMEOUT_MS = 600_000
"""The longest that working out the people may keep the database busy."""
WORK_MEM = "64MB"

COLUMNS: Final = (
    "contact_id",
    "external_id",
    "email",
    "email_state",
    "phone",
    "phone_state",
    "first_name",
    "last_name",
    "contact_key",
    "language",
    "time_zone",
    "region",
    "town",
    "street",
    "postcode",
    "source",
    "created_at",
    "updated_at",
    "lists",
    "orders",
    "orders_total",
    "orders_average",
    "first_order_at",
    "last_order_at",
)
"""Orders are the delivered ones, their sums in the organisation's currency. The additional fields follow, by the names of their merge tags."""

_ALIVE = """select contact.contact_id from ({people}) people
join contact on contact.org_id = %(org_id)s and contact.contact_id = people.contact_id and contact.deleted_at is null"""
"""Whom a ledger names may have been deleted since."""

Fields = dict[str, str]
"""Id of an additional field by its heading."""


async def fields(conn: Connection, org_id: int) -> Fields:
    return {
        heading: str(field_id)
        for field_id, heading in await store.fetch(conn, store.q.field_headings, org_id, {})
    }


async def columns(conn: Connection, org_id: int, wanted: ExportCreate) -> Sequence[str]:
    """Headings in their order. Raises Invalid for one that is not there."""
    every = [*COLUMNS, *await fields(conn, org_id)]
    for name in wanted.columns or []:
        if name not in every:
            raise Invalid.of(
                "columns", name, "is not a column of contacts; additional fields are named GROUP.FIELD"
            )
    return every if wanted.columns is None else wanted.columns


async def begin(conn: Connection, org_id: int, export_id: int, wanted: ExportCreate, now: datetime) -> int:
    """Notes who is in it. How many. Raises Invalid, NotFound."""
    await bound(conn, str(TIMEOUT_MS), WORK_MEM)
    return await store.gather(conn, org_id, export_id, await _chosen(conn, org_id, wanted, now))


async def check(conn: Connection, org_id: int, wanted: ExportCreate, now: datetime) -> None:
    """Raises Invalid, NotFound for what names nobody."""
    await _chosen(conn, org_id, wanted, now)
    await columns(conn, org_id, wanted)


async def _chosen(conn: Connection, org_id: int, wanted: ExportCreate, now: datetime) -> Compiled:
    """A select of contact ids."""
    if wanted.segment_id is not None:
        return await _compiled(conn, await read_segment(conn, org_id, wanted.segment_id, now))
    if wanted.condition is not None:
        return await _compiled(conn, await read_tree(conn, org_id, read(wanted.condition), now, strict=True))
    if wanted.follow is not None:
        followed = await people_sql(conn, org_id, wanted.follow)
        return Compiled(_ALIVE.format(people=followed.sql.rstrip(";")), followed.values)
    return Compiled(store.q.everybody, {"org_id": org_id})


async def _compiled(conn: Connection, reading: Reading) -> Compiled:
    tree, world = await narrow(conn, reading)
    return compile_ids(tree, world)


async def ids_behind(
    conn: Connection, org_id: int, row: Row, limit: int
) -> tuple[list[int], list[Any] | None]:
    """A page of the people, and the place of the next one."""
    after = row.place[0] if row.place else 0
    values = {"export_id": row.export_id, "after": after, "limit": limit}
    ids = [one for (one,) in await store.fetch(conn, store.q.page_of_people, org_id, values)]
    return ids, ids[-1:] if len(ids) == limit else None


async def page(conn: Connection, org_id: int, row: Row, wanted: ExportCreate, limit: int) -> Rows:
    ids, place = await ids_behind(conn, org_id, row, limit)
    headings = await columns(conn, org_id, wanted)
    known = await fields(conn, org_id)
    values = {"contact_ids": ids, "with_lists": "lists" in headings}
    found = await store.fetch(conn, store.q.people, org_id, values)
    places = [known[name] if name in known else COLUMNS.index(name) for name in headings]
    return Rows([tuple(_cell(one, at) for at in places) for one in found], place)


def _cell(row: tuple[Any, ...], at: int | str) -> Any:
    if isinstance(at, int):
        return row[at]
    value = row[-1].get(at)
    if isinstance(value, list):
        return "; ".join(map(str, value))
    return json_edge.encode(value).decode() if isinstance(value, dict) else value
