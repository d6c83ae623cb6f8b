"""Deletes orders with their items; the facts of their contacts follow (contract 17.2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from perigee.db.pool import Connection
from perigee.errors import Invalid
from perigee.lib.dates import to_moment
from perigee.lib.text import clean_or_none
from perigee.orders import store
from perigee.orders.facts import recount
from perigee.orders.types import StoredOrder

DELETE_ORDERS = "orders.delete"
"""Name of the job that does it."""

LONGEST = timedelta(hours=24)
CHUNK = 2000
"""Orders of one transaction."""

_FORM = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ?", re.ASCII)


class Period(NamedTuple):
    """Dates of orders, both ends included."""

    first: datetime
    last: datetime


def what(external_order_id: str | None, first: str | None, last: str | None) -> str | Period:
    """The order, or the period, that a caller asks to delete. Raises Invalid as contract 17.2 lists it. Pure."""
    external_order_id, first, last = (clean_or_none(text) for text in (external_order_id, first, last))
    if external_order_id is not None:
        return external_order_id
    if first is None or last is None:
        raise Invalid("externalOrderId, or both from and to, is required", field="externalOrderId")
    period = Period(_moment("from", first), _moment("to", last))
    if period.first >= period.last:
        raise Invalid(f"from: '{first}' is not before to: '{last}'", field="from", value=first)
    if period.last - period.first > LONGEST:
        raise Invalid(f"from, to: '{first}' to '{last}' is more than 24 hours", field="from", value=first)
    return period


def _moment(field: str, text: str) -> datetime:
    moment = to_moment(field, text, UTC) if _FORM.fullmatch(text) else None
    if moment is None:
        raise Invalid.of(field, text, "is not a UTC date with time like 2025-03-08T09:30:00")
    return moment


async def delete_one(conn: Connection, org_id: int, external_order_id: str) -> int:
    """How many orders went: 1, or 0 when there was none."""
    return await _delete(
        conn, org_id, list((await store.lock_orders(conn, org_id, [external_order_id])).values())
    )


async def delete_some(conn: Connection, org_id: int, period: Period, limit: int = CHUNK) -> int:
    """Deletes at most `limit` orders of the period and says how many; call again, in a new transaction, until 0."""
    return await _delete(conn, org_id, await store.lock_orders_of_period(conn, org_id, *period, limit))


async def _delete(conn: Connection, org_id: int, orders: Sequence[StoredOrder]) -> int:
    if not orders:
        return 0
    await store.delete_items(conn, org_id, [order.order_id for order in orders])
    await store.delete_orders(conn, org_id, [order.external_order_id for order in orders])
    await recount(conn, org_id, {order.contact_id for order in orders if order.contact_id is not None})
    return len(orders)
