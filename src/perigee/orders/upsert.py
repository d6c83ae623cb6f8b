"""Stores orders set-wise: contacts, orders, items, derived facts, events, all in the caller's transaction.

Steps, one statement each for the whole set: find the contacts (make the missing) → insert the new orders → lock
and update the known ones → replace items → recount the facts of every contact touched, old and new → record one
event per order → note new products. Locks are taken in one order everywhere: addresses, orders by external id, facts
by contact id, products by id.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from psycopg.errors import SerializationFailure

from perigee.db import plans
from perigee.db.pool import Connection
from perigee.events.people import find, find_or_create
from perigee.events.record import record
from perigee.events.types import Identity, NewEvent, Person
from perigee.orders import store
from perigee.orders.facts import recount
from perigee.orders.types import CleanOrder
from perigee.products.from_orders import products_of
from perigee.products.store import upsert_products


async def upsert(
    conn: Connection, org_id: int, orders: Sequence[CleanOrder], *, create: bool = True, tell: bool = True
) -> list[int]:
    """Order ids, one per order given. Orders of one external id are applied in order, so the last one wins.

    `create`: a contact is made where none matches; else the order is nobody's, or stays whose it was. `tell`: an event
    for each; an import of old orders has none.
    """
    if not orders:
        return []
    await plans.by_key(conn)
    whose = [order.who for order in orders]
    if create:
        people = await find_or_create(conn, org_id, whose, narrow=False)
    else:
        people = await find(conn, org_id, whose, narrow=False)
    latest = fold(orders)
    owners = {order.external_order_id: person for order, person in zip(orders, people, strict=True)}
    ids, former = await _write(conn, org_id, latest, owners)
    await recount(conn, org_id, former | {person.contact_id for person in owners.values() if person})
    order_ids = [ids[order.external_order_id] for order in orders]
    if tell:
        await record(
            conn,
            org_id,
            [
                event(order.status, order.external_order_id, order_id, person)
                for order, order_id, person in zip(orders, order_ids, people, strict=True)
            ],
        )
    await upsert_products(conn, org_id, products_of(latest), source="order")
    return order_ids


def fold(orders: Iterable[CleanOrder]) -> list[CleanOrder]:
    """One order per external id, sorted by it, as if the repeats had come in calls of their own. Pure."""
    latest: dict[str, CleanOrder] = {}
    for order in orders:
        before = latest.get(order.external_order_id)
        latest[order.external_order_id] = order if before is None else _merge(before, order)
    return [latest[key] for key in sorted(latest)]


def _merge(before: CleanOrder, after: CleanOrder) -> CleanOrder:
    return after._replace(
        currency=after.currency or before.currency,
        source=after.source or before.source,
        details=before.details | after.details,
        items=before.items if after.items is None else after.items,
    )


async def _write(
    conn: Connection, org_id: int, orders: Sequence[CleanOrder], owners: dict[str, Person | None]
) -> tuple[dict[str, int], set[int]]:
    """Order ids by external id, and the contacts that orders were moved away from."""
    contact_ids = [_contact_id(owners[order.external_order_id]) for order in orders]
    ids = await store.insert_orders(conn, org_id, orders, contact_ids)
    known = [
        (order, owner)
        for order, owner in zip(orders, contact_ids, strict=True)
        if order.external_order_id not in ids
    ]
    former: set[int] = set()
    if known:
        stored = await store.lock_orders(conn, org_id, [order.external_order_id for order, _ in known])
        if len(stored) < len(known):
            raise SerializationFailure("an order was deleted while it was updated")  # the set is run again
        former = {row.contact_id for row in stored.values() if row.contact_id is not None}
        await store.update_orders(conn, org_id, [order for order, _ in known], [owner for _, owner in known])
        ids |= {row.external_order_id: row.order_id for row in stored.values()}
        if replaced := [
            stored[order.external_order_id].order_id for order, _ in known if order.items is not None
        ]:
            await store.delete_items(conn, org_id, replaced)
    items = [
        (ids[order.external_order_id], position, item)
        for order in orders
        for position, item in enumerate(order.items or (), start=1)
    ]
    if items:
        await store.insert_items(conn, org_id, items)
    return ids, former


def _contact_id(person: Person | None) -> int | None:
    return None if person is None else person.contact_id


async def set_statuses(conn: Connection, org_id: int, changes: Sequence[tuple[str, str]]) -> list[int | None]:
    """(external order id, status), applied in order → order ids; None where there is no such order."""
    await plans.by_key(conn)
    latest = dict(changes)
    stored = await store.lock_orders(conn, org_id, sorted(latest))
    if not stored:
        return [None] * len(changes)
    rows = list(stored.values())
    await store.update_statuses(conn, org_id, {external: latest[external] for external in stored})
    await recount(conn, org_id, {row.contact_id for row in rows if row.contact_id is not None})
    people = await find(conn, org_id, [Identity(contact_id=row.contact_id) for row in rows], narrow=False)
    owners = dict(zip(stored, people, strict=True))
    await record(
        conn,
        org_id,
        [
            event(status, external, stored[external].order_id, owners[external])
            for external, status in changes
            if external in stored
        ],
    )
    return [stored[external].order_id if external in stored else None for external, _ in changes]


def event(status: str, external_order_id: str, order_id: int, person: Person | None) -> NewEvent:
    """`order<STATUS>` with the parameters of TRACKING section 7."""
    params: dict[str, object] = {"eventKey": external_order_id, "orderId": order_id}
    if person is not None:
        identifiers = {
            "contactId": person.contact_id,
            "externalCustomerId": person.external_id,
            "email": person.email,
            "phone": person.phone,
        }
        params |= {name: value for name, value in identifiers.items() if value is not None}
    return NewEvent(
        type_key="order" + status,
        event_key=external_order_id,
        contact_id=None if person is None else person.contact_id,
        params=params,
        source="order",
    )
