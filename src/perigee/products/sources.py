"""Data sources of recommendations: which algorithm, over how long, of what (`dataSourceId` of contract 11.5)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.errors import Invalid, NotFound
from perigee.lib import json_edge
from perigee.lib.text import clean_or_none

q = load(__package__)

Kind = Literal["best_sellers", "recently_viewed", "bought_together"]
CATEGORY_LENGTH = 300


class Settings(msgspec.Struct, forbid_unknown_fields=True):
    """`days`: how far back orders and visits count. `category`: only goods of it, unless the caller names another.
    `in_stock_only` leaves out what is known to be sold out."""

    days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 30
    category: Annotated[str, msgspec.Meta(max_length=CATEGORY_LENGTH)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20
    in_stock_only: bool = True


class SourceCreate(msgspec.Struct, forbid_unknown_fields=True):
    """`best_sellers`: what sold most. `recently_viewed`: what this person looked at, newest first. `bought_together`:
    what others bought with the products named, or with what this person bought last."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=250)]
    kind: Kind
    settings: Settings = msgspec.field(default_factory=Settings)


class Source(msgspec.Struct):
    source_id: int
    name: str
    kind: Kind
    settings: Settings
    created_at: datetime


async def create(conn: Connection, org_id: int, wanted: SourceCreate) -> Source:
    """Raises Invalid for a blank name."""
    name = clean_or_none(wanted.name)
    if name is None:
        raise Invalid("name: must not be blank", field="name")
    wanted.settings.category = clean_or_none(wanted.settings.category)
    values = {
        "org_id": org_id,
        "name": name,
        "kind": wanted.kind,
        "settings": json_edge.encode(wanted.settings).decode(),
    }
    row = await (await conn.execute(q.insert_source, values)).fetchone()
    assert row is not None
    return _source(row)


async def list_sources(conn: Connection, org_id: int, *, after: int, limit: int) -> list[Source]:
    values = {"org_id": org_id, "after": after, "limit": limit}
    return [_source(row) for row in await (await conn.execute(q.list_sources, values)).fetchall()]


async def get(conn: Connection, org_id: int, source_id: int) -> Source:
    """Raises NotFound."""
    values = {"org_id": org_id, "source_id": source_id}
    row = await (await conn.execute(q.get_source, values)).fetchone()
    if row is None:
        raise _unknown(source_id)
    return _source(row)


async def delete(conn: Connection, org_id: int, source_id: int) -> None:
    """Raises NotFound."""
    values = {"org_id": org_id, "source_id": source_id}
    if await (await conn.execute(q.delete_source, values)).fetchone() is None:
        raise _unknown(source_id)


def _source(row: tuple[Any, ...]) -> Source:
    return msgspec.convert(dict(zip(Source.__struct_fields__, row, strict=True)), Source)


def _unknown(source_id: int) -> NotFound:
    return NotFound(f"data source {source_id} is not found")
