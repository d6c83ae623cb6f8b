"""Exports of what is not people: orders, events, addresses not to be written to, recipients of a campaign. Pages go by key."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from perigee.campaigns.store import get_campaign
from perigee.db.pool import Connection
from perigee.exports import store
from perigee.exports.store import q
from perigee.exports.types import ExportCreate, Row, Rows
from perigee.lib import json_edge
from perigee.reports.campaign import people as recipients

ORDERS: Final = (
    "order_id",
    "external_order_id",
    "contact_id",
    "external_id",
    "email",
    "phone",
    "status",
    "total",
    "currency",
    "ordered_at",
    "source",
    "items",
    "created_at",
    "updated_at",
)
ITEMS: Final = ("item_id", "item_name", "item_category", "item_quantity", "item_cost")
EVENTS: Final = (
    "event_id",
    "occurred_at",
    "event_type",
    "event_name",
    "event_key",
    "contact_id",
    "external_id",
    "email",
    "phone",
    "source",
    "params",
)
UNSUBSCRIBED: Final = (
    "kind",
    "address",
    "state",
    "since",
    "unsubscribed_at",
    "unsubscribe_source",
    "unsubscribe_reason",
    "complained_at",
    "blacklisted_at",
    "blacklist_reason",
)


def _period(wanted: ExportCreate) -> dict[str, Any]:
    return {
        "contact_id": wanted.contact_id,
        "status": wanted.status,
        "event_type": wanted.event_type,
        "first": wanted.first,
        "until": wanted.until,
    }


def _behind(rows: list[tuple[Any, ...]], limit: int, *places: int) -> list[Any] | None:
    """The place of the last row of a full page."""
    return [rows[-1][at] for at in places] if len(rows) == limit else None


async def count_orders(conn: Connection, org_id: int, wanted: ExportCreate) -> int:
    ((count,),) = await store.fetch(conn, q.count_orders, org_id, _period(wanted))
    return int(count)


async def orders(conn: Connection, org_id: int, row: Row, wanted: ExportCreate, limit: int) -> Rows:
    after = row.place[0] if row.place else 0
    found = await store.fetch(conn, q.orders, org_id, {**_period(wanted), "after": after, "limit": limit})
    return Rows(found, _behind(found, limit, 0))


async def order_items(conn: Connection, org_id: int, row: Row, wanted: ExportCreate, limit: int) -> Rows:
    """A row for each item of the page's orders; an order without items has one row."""
    page = await orders(conn, org_id, row, wanted, limit)
    items: dict[int, list[tuple[Any, ...]]] = {}
    ids = [one[0] for one in page.rows]
    for order_id, *item in await store.fetch(conn, q.items_of_orders, org_id, {"order_ids": ids}):
        items.setdefault(order_id, []).append(tuple(item))
    none = (None,) * len(ITEMS)
    return Rows([(*order, *item) for order in page.rows for item in items.get(order[0], [none])], page.place)


async def events(conn: Connection, org_id: int, row: Row, wanted: ExportCreate, limit: int) -> Rows:
    after, after_id = (datetime.fromisoformat(row.place[0]), row.place[1]) if row.place else (None, 0)
    values = {**_period(wanted), "after": after, "after_id": after_id, "limit": limit}
    found = await store.fetch(conn, q.events, org_id, values)
    place = [found[-1][1].astimezone(UTC).isoformat(), found[-1][0]] if len(found) == limit else None
    return Rows([(*one[:-1], json_edge.encode(one[-1]).decode()) for one in found], place)


async def count_unsubscribed(conn: Connection, org_id: int) -> int:
    ((count,),) = await store.fetch(conn, q.count_unsubscribed, org_id, {})
    return int(count)


async def unsubscribed(conn: Connection, org_id: int, row: Row, limit: int) -> Rows:
    kind, value = row.place or ("", "")
    found = await store.fetch(conn, q.unsubscribed, org_id, {"kind": kind, "value": value, "limit": limit})
    return Rows(found, _behind(found, limit, 0, 1))


async def check_campaign(conn: Connection, org_id: int, campaign_id: int) -> None:
    """Raises NotFound."""
    await get_campaign(conn, org_id, campaign_id)


async def campaign_people(conn: Connection, org_id: int, row: Row, wanted: ExportCreate, limit: int) -> Rows:
    asked = wanted.recipients
    assert asked is not None
    after = recipients.Place(*row.place) if row.place else recipients.Place()
    narrowed = recipients.Filter(asked.outcome, asked.reason, asked.domain, None, asked.engaged)
    found = await recipients.people(
        conn, org_id, asked.campaign_id, wanted=narrowed, after=after, limit=limit
    )
    rows = [msgspec.structs.astuple(one) for one in found]
    return Rows(rows, [found[-1].send_id, found[-1].ordinal] if len(found) == limit else None)


def pick(rows: Iterable[tuple[Any, ...]], every: tuple[str, ...], chosen: list[str]) -> list[tuple[Any, ...]]:
    """The chosen columns, in their order. Pure."""
    places = [every.index(name) for name in chosen]
    return [tuple(row[at] for at in places) for row in rows]
