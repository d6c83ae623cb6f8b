"""Events that create and change orders (contract 17.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, tzinfo
from itertools import groupby
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from perigee.db.pool import Connection
from perigee.errors import Invalid
from perigee.events.types import Identity, Person
from perigee.lib import json_edge
from perigee.lib.text import clean_or_none
from perigee.orders import store
from perigee.orders.clean import clean
from perigee.orders.types import CANCELLED, DELIVERED, CleanOrder
from perigee.orders.upsert import set_statuses, upsert

UPSERTS = frozenset({"orderCreated", "orderUpdated"})
STATUSES = {"orderDelivered": DELIVERED, "orderCancelled": CANCELLED}
ORDER_EVENTS = UPSERTS | STATUSES.keys()

_MEMBERS = {
    name.lower(): name
    for name in [
        "externalOrderId",
        "externalCustomerId",
        "email",
        "phone",
        "firstName",
        "lastName",
        "totalCost",
        "status",
        "date",
        "currency",
        "shipping",
        "discount",
        "taxes",
        "restoreUrl",
        "statusDescription",
        "storeId",
        "source",
        "deliveryMethod",
        "paymentMethod",
        "deliveryAddress",
        "items",
    ]
}


class StatusChange(NamedTuple):
    external_order_id: str
    status: str


async def apply_order_events(
    conn: Connection, org_id: int, events: Iterable[tuple[str, Mapping[str, Any], Person | None]]
) -> None:
    """(type key, parameters, contact), in order. Without a required parameter, a contact or, for a status, the order,
    an event changes nothing."""
    mine = [event for event in events if event[0] in ORDER_EVENTS]
    if not mine:
        return
    zone = ZoneInfo(await store.time_zone(conn, org_id))
    changes = [change for event in mine if (change := read(*event, zone=zone)) is not None]
    for kind, run in groupby(changes, type):
        if kind is StatusChange:
            await set_statuses(conn, org_id, [change for change in run if isinstance(change, StatusChange)])
        else:
            await upsert(conn, org_id, [change for change in run if isinstance(change, CleanOrder)])


def read(
    type_key: str, params: Mapping[str, Any], person: Person | None, *, zone: tzinfo = UTC
) -> CleanOrder | StatusChange | None:
    """What the event does to an order; None = nothing. Pure."""
    order = {_MEMBERS.get(name.lower(), name): value for name, value in params.items()}
    if type_key in STATUSES:
        external = order.get("externalOrderId")
        key = clean_or_none(str(external)) if isinstance(external, str | int) else None
        return None if key is None else StatusChange(key, STATUSES[type_key])
    if person is None:
        return None
    items = order.get("items")
    try:
        if isinstance(items, str) and items.strip():
            order["items"] = json_edge.decode(items.encode())
        return clean(order, zone)._replace(who=Identity(contact_id=person.contact_id))
    except Invalid:
        return None
