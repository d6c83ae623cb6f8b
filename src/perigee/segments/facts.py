"""Loads the facts of a set of contacts: one query per kind of fact that a tree needs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from perigee.db.pool import Connection
from perigee.segments.leaves.fields import COLUMNS
from perigee.segments.leaves.happenings import SOURCES
from perigee.segments.person import (
    NO_ORDERS,
    Address,
    Change,
    Event,
    Happening,
    Item,
    Message,
    Needs,
    Order,
    OrderSums,
    Person,
    Product,
    RfmPlace,
    Token,
    product_id_of,
)
from perigee.segments.store import queries

_COLUMNS = [
    "contact_id", "external_id", "contact_key", "email", "phone", "first_name", "last_name", "language", "time_zone",
    "region", "town", "street", "postcode", "source", "created_at", "updated_at",
]  # fmt: skip
assert set(_COLUMNS) == {column.name for column in COLUMNS.values()}

Fact = TypeVar("Fact")


async def load_people(
    conn: Connection, org_id: int, contact_ids: Sequence[int], needs: Needs
) -> dict[int, Person]:
    """The living ones among these contacts, by id. Everything is held in memory: hundreds at a time."""
    load = _Loader(conn, {"org_id": org_id, "contact_ids": list(contact_ids)})
    contacts = await load.rows(queries.facts_contacts)
    addresses = await load.addresses() if needs.addresses else {}
    tokens = await load.grouped(queries.facts_tokens, Token) if needs.tokens else {}
    segments = await load.segments(needs.segments) if needs.segments else {}
    sums = await load.order_sums() if needs.order_sums else {}
    orders = await load.orders(items=needs.items) if needs.orders else {}
    events = await load.events(needs.events, needs.lists) if needs.events else {}
    messages = await load.messages(needs.messages, needs.message_details) if needs.messages else {}
    products = await load.products(orders, events, changes=needs.changes) if needs.products else {}
    rfm = await load.rfm() if needs.rfm else {}
    people = {}
    for *columns, fields in contacts:
        number = columns[0]
        delivered, placed = sums.get(number, (NO_ORDERS, NO_ORDERS))
        people[number] = Person(
            contact_id=number,
            columns=dict(zip(_COLUMNS, columns, strict=True)),
            fields=json.loads(fields, parse_float=Decimal, parse_int=Decimal),
            addresses=addresses.get(number, {}),
            tokens=tokens.get(number, ()),
            segments=segments.get(number, {}),
            delivered=delivered,
            placed=placed,
            orders=orders.get(number, ()),
            events=events.get(number, {}),
            rfm=rfm.get(number, {}),
            products=products,
            messages=messages.get(number, {}),
        )
    return people


class _Loader(NamedTuple):
    conn: Connection
    whom: dict[str, Any]

    async def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        return await (await self.conn.execute(query, self.whom | values)).fetchall()

    async def grouped(self, query: str, fact: Callable[..., Fact]) -> dict[int, list[Fact]]:
        found: dict[int, list[Fact]] = defaultdict(list)
        for contact_id, *columns in await self.rows(query):
            found[contact_id].append(fact(*columns))
        return found

    async def addresses(self) -> dict[int, dict[str, Address]]:
        found: dict[int, dict[str, Address]] = defaultdict(dict)
        for contact_id, kind, *state in await self.rows(queries.facts_addresses):
            found[contact_id][kind] = Address(*state)
        return found

    async def segments(self, wanted: set[int]) -> dict[int, dict[int, datetime]]:
        found: dict[int, dict[int, datetime]] = defaultdict(dict)
        for contact_id, segment_id, joined_at in await self.rows(
            queries.facts_segments, segment_ids=sorted(wanted)
        ):
            found[contact_id][segment_id] = joined_at
        return found

    async def order_sums(self) -> dict[int, tuple[OrderSums, OrderSums]]:
        return {
            contact_id: (OrderSums(*columns[:4]), OrderSums(*columns[4:]))
            for contact_id, *columns in await self.rows(queries.facts_order_sums)
        }

    async def rfm(self) -> dict[int, dict[str, RfmPlace]]:
        found: dict[int, dict[str, RfmPlace]] = defaultdict(dict)
        for contact_id, grid, *place in await self.rows(queries.facts_rfm):
            found[contact_id][grid] = RfmPlace(*place)
        return found

    async def orders(self, *, items: bool) -> dict[int, list[Order]]:
        listed: dict[int, list[Item]] = defaultdict(list)
        if items:
            for order_id, *item in await self.rows(queries.facts_order_items):
                listed[order_id].append(Item(*item))
        found: dict[int, list[Order]] = defaultdict(list)
        for contact_id, order_id, *columns in await self.rows(queries.facts_orders):
            found[contact_id].append(Order(*columns)._replace(items=listed.get(order_id, ())))
        return found

    async def products(
        self,
        orders: Mapping[int, Sequence[Order]],
        events: Mapping[int, Mapping[int, Sequence[Event]]],
        *,
        changes: bool,
    ) -> dict[str, Product]:
        """Those that the people's orders and events name."""
        named = {item.product_id for of in orders.values() for order in of for item in order.items}
        for event in (event for by_type in events.values() for of in by_type.values() for event in of):
            things = [event.params, *(thing for listed in event.lists.values() for thing in listed)]
            named.update(filter(None, map(product_id_of, things)))
        values = {"product_ids": sorted(named)}
        listed: dict[str, list[Change]] = defaultdict(list)
        if changes:
            for product_id, *change in await self.rows(queries.facts_product_changes, **values):
                listed[product_id].append(Change(*change))
        return {
            product_id: Product(*columns)._replace(changes=listed.get(product_id, ()))
            for product_id, *columns in await self.rows(queries.facts_products, **values)
        }

    async def events(
        self, wanted: dict[int, set[str]], lists: dict[str, set[str]]
    ) -> dict[int, dict[int, list[Event]]]:
        rows = await self.rows(
            queries.facts_events,
            event_type_ids=sorted(wanted),
            params=sorted(set().union(*wanted.values())),
            lists=sorted(lists),
            members=sorted(set().union(*lists.values())),
        )
        found: dict[int, dict[int, list[Event]]] = defaultdict(lambda: defaultdict(list))
        for contact_id, type_id, occurred_at, values, things in rows:
            found[contact_id][type_id].append(Event(occurred_at, values or {}, things or {}))
        return found

    async def messages(
        self, wanted: set[Happening], details: bool
    ) -> dict[int, dict[Happening, list[Message]]]:
        found: dict[int, dict[Happening, list[Message]]] = defaultdict(lambda: defaultdict(list))
        for table, query in (("delivery", queries.facts_deliveries), ("activity", queries.facts_activity)):
            sources = [(what, SOURCES[what].values) for what in wanted if SOURCES[what].table == table]
            if not sources:
                continue
            values = sorted({value for _, of in sources for value in of})
            for contact_id, value, *columns in await self.rows(query, values=values, details=details):
                for what in (what for what, of in sources if value in of):
                    found[contact_id][what].append(Message(*columns))
        return found
