"""Typed access to products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from perigee.db import plans
from perigee.db.columns import pack, pack_flags
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.lib import json_edge
from perigee.products.types import Product, ProductRow, Source

q = load(__package__)

CHANGE_DAYS = 180


def _json(value: object) -> str:
    return json_edge.encode(value).decode()


async def upsert_products(
    conn: Connection, org_id: int, rows: Sequence[ProductRow], *, source: Source
) -> None:
    """Stores what `source` says. Of two rows about one product the last one counts. Later data (`as_of`) replace
    earlier ones; None changes nothing; an order never replaces what a feed, the tracker or an API call said.

    Another price or another answer to whether there are any is written down beside it (`product_change`), unless it
    is only an order that says so.
    """
    latest = {row.product_id: row for row in rows}
    given = [latest[product_id] for product_id in sorted(latest)]
    if not given:
        return
    await plans.by_key(conn)
    await conn.execute(
        q.upsert_products,
        {
            "org_id": org_id,
            "source": source,
            "product_ids": pack(row.product_id for row in given),
            "names": pack(row.name for row in given),
            "urls": pack(row.url for row in given),
            "image_urls": pack(row.image_url for row in given),
            "descriptions": pack(row.description for row in given),
            "brands": pack(row.brand for row in given),
            "prices": pack(None if row.price is None else format(row.price, "f") for row in given),
            "currencies": pack(row.currency for row in given),
            "in_stock": pack_flags(row.in_stock for row in given),
            "categories": pack(None if row.categories is None else _json(row.categories) for row in given),
            "tags": pack(_json(row.tags) for row in given),
            "as_of": pack(None if row.as_of is None else row.as_of.isoformat() for row in given),
        },
    )


async def prune_changes(conn: Connection) -> None:
    """Forgets what changed about products more than `CHANGE_DAYS` ago."""
    await conn.execute(q.prune_changes, {"days": CHANGE_DAYS})


async def read_products(conn: Connection, org_id: int, product_ids: Sequence[str]) -> dict[str, Product]:
    """Those that there are, by id."""
    cursor = await conn.execute(q.read_products, {"org_id": org_id, "product_ids": pack(product_ids)})
    return {row[0]: product(row) for row in await cursor.fetchall()}


def product(row: tuple[Any, ...]) -> Product:
    """A row of the columns of `Product`, in its order."""
    return msgspec.convert(dict(zip(Product.__struct_fields__, row, strict=True)), Product)
