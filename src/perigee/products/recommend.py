"""Recommendations: products ranked by what people bought and looked at (contract 11.5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from perigee.db.columns import pack
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.products import store
from perigee.products.best_sellers import ensure_counted
from perigee.products.sources import Source
from perigee.products.types import Product
from perigee.products.viewed import VIEWED, products_viewed

q = load(__package__)

LAST_BOUGHT = 20
"""Products of a person that `bought_together` starts from when none is named."""
LAST_VIEWED = 300
"""Visits that are looked at for products."""


class Asked(NamedTuple):
    """For whom, and what the page they are on is about."""

    contact_id: int | None = None
    visitor_id: str | None = None
    products: Sequence[str] = ()
    category: str | None = None


async def recommend(
    conn: Connection, org_id: int, source: Source, asked: Asked, *, now: datetime
) -> list[Product]:
    """The best first; empty where nothing is known. Best sellers are up to five minutes old (`best_sellers`)."""
    since = now - timedelta(days=source.settings.days)
    ranked, values = await _ranking(conn, org_id, source, asked, since)
    if ranked is None:
        return []
    return await _pick(conn, org_id, ranked, values, source, asked.category)


async def _ranking(
    conn: Connection, org_id: int, source: Source, asked: Asked, since: datetime
) -> tuple[str | None, dict[str, Any]]:
    """A select of `product_id` and `score` with its values; None when there is nothing to start from."""
    if source.kind == "best_sellers":
        await ensure_counted(conn, org_id, source.source_id, since)
        return q.ranked_best_sellers, {"source_id": source.source_id}
    if source.kind == "recently_viewed":
        viewed = await _viewed(conn, org_id, asked, since)
        return (q.ranked_as_given, {"product_ids": pack(viewed)}) if viewed else (None, {})
    start = list(asked.products) or await _bought(conn, org_id, asked)
    return (q.ranked_bought_together, {"product_ids": pack(start), "since": since}) if start else (None, {})


async def _viewed(conn: Connection, org_id: int, asked: Asked, since: datetime) -> list[str]:
    values = {"org_id": org_id, "key": VIEWED, "since": since, "limit": LAST_VIEWED}
    if asked.contact_id is not None:
        cursor = await conn.execute(q.views_of_contact, {**values, "contact_id": asked.contact_id})
    elif asked.visitor_id is not None:
        cursor = await conn.execute(q.views_of_visitor, {**values, "visitor_id": asked.visitor_id})
    else:
        return []
    return products_viewed([params for (params,) in await cursor.fetchall()])


async def _bought(conn: Connection, org_id: int, asked: Asked) -> list[str]:
    if asked.contact_id is None:
        return []
    values = {"org_id": org_id, "contact_id": asked.contact_id, "limit": LAST_BOUGHT}
    cursor = await conn.execute(q.products_bought_by, values)
    return [product_id for (product_id,) in await cursor.fetchall()]


async def _pick(
    conn: Connection, org_id: int, ranked: str, values: dict[str, Any], source: Source, category: str | None
) -> list[Product]:
    statement = _PICK.format(ranked=ranked.rstrip().removesuffix(";"))
    wanted = {
        "org_id": org_id,
        "category": category or source.settings.category,
        "in_stock_only": source.settings.in_stock_only,
        "limit": source.settings.limit,
    }
    cursor = await conn.execute(statement.encode(), {**values, **wanted}, prepare=False)
    return [store.product(row) for row in await cursor.fetchall()]


# A category is named whole, as "Home > Mugs", or by one step of its path.
_PICK = """
with ranked as ({ranked})
select p.product_id, p.name, p.url, p.image_url, p.description, p.brand, trim_scale(p.price), p.currency, p.in_stock,
       p.categories, p.tags
from ranked join product p on p.org_id = %(org_id)s and p.product_id = ranked.product_id
where (not %(in_stock_only)s or p.in_stock is distinct from false)
  and (%(category)s::text is null or exists (
      select from jsonb_array_elements_text(p.categories) as c (text)
      where lower(text) = lower(%(category)s)
         or lower(%(category)s) = any(regexp_split_to_array(lower(text), '\\s*>\\s*'))))
order by ranked.score desc, p.product_id
limit %(limit)s
"""
