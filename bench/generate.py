"""A shop's customer data, made up in the database: people, events, orders with items, lists; the same for a seed.

    python bench/generate.py URL [--contacts 1000000] [--events 10000000] [--orders 3000000] [--seed 7] [--now 2026-11-01]

Other benchmarks call `generate`. Everything is drawn with PostgreSQL's own seeded hash, so that it needs no client
and no state, and the same arguments give the same rows. What is skewed as in life: a few people do most (events and
orders fall by a power law), a few types of events and a few products are most of them, days of the week and hours
differ, and there is more of late than two years ago. Events come in the order of time, as they would have.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg import Connection, connect

from perigee.accounts.bootstrap import create_organisation
from perigee.db import partitions
from perigee.db.migrate import migrate
from perigee.db.pool import Database
from perigee.keys import Keys

DAYS = 729
"""How far back events and orders go: a day less than the months that are kept."""
PRODUCTS = 20_000
LISTS = {"Everybody": 1.0, "Newsletter": 0.4, "Loyalty": 0.1, "Staff": 0.0005}
"""Lists by name, and which share of the people is on them."""
FIELDS = {"points": "number", "birthday": "date", "size": "combobox", "colours": "checkboxlist"}
EVENT_TYPES = {
    "page_view": 0.52,
    "product_view": 0.27,
    "cart_changed": 0.10,
    "search": 0.06,
    "wishlist": 0.03,
    "review": 0.015,
    "return_requested": 0.005,
}
"""Types by key, and their share of the events."""
BATCH = 500_000


@dataclass(frozen=True)
class Made:
    """Where what was made is found. Contact ids have no gaps."""

    org_id: int
    first_contact: int
    contacts: int
    lists: dict[str, int]
    fields: dict[str, int]
    event_types: dict[str, int]
    now: datetime


_HELPERS = """
create function pg_temp.u(n bigint, salt integer, seed integer) returns float8 language sql immutable parallel safe
return (hashint8extended(n, seed * 1000 + salt) & 4503599627370495)::float8 / 4503599627370496.0;

create function pg_temp.pick(n bigint, salt integer, seed integer, given text[]) returns text
language sql immutable parallel safe
return given[1 + floor(pg_temp.u(n, salt, seed) * cardinality(given))::int];

create function pg_temp.skewed(n bigint, salt integer, seed integer, given text[]) returns text
language sql immutable parallel safe
return given[1 + floor(power(pg_temp.u(n, salt, seed), 2.5) * cardinality(given))::int];

-- The n-th of total moments, rising with n but for some hours; the density doubles and more over the time.
create function pg_temp.moment(n bigint, total bigint, salt integer, seed integer, at timestamptz, days integer)
returns timestamptz language sql immutable parallel safe
return least(
    at - interval '1 second',
    at - days * interval '1 day'
       + floor(days * power(n::float8 / total, 0.7)) * interval '1 day'
       + interval '8 hours' + (power(pg_temp.u(n, salt, seed), 0.6) - 0.2) * interval '15 hours'
);
"""

_CONTACTS = """
insert into contact (
    org_id, contact_id, source, external_id, email, phone, first_name, last_name, language, time_zone, region, town,
    postcode, fields, created_at, updated_at, deleted_at
)
select %(org)s, %(first)s + n,
       pg_temp.skewed(n, 1, %(seed)s, '{api,import,form,event}'),
       case when pg_temp.u(n, 2, %(seed)s) < 0.85 then 'CRM-' || n end,
       case when pg_temp.u(n, 3, %(seed)s) < 0.93 then 'person-' || n || '@' || pg_temp.skewed(n, 4, %(seed)s,
            '{gmail.com,ukr.net,yahoo.com,outlook.com,icloud.com,i.ua,example.org,example.com}') end,
       case when pg_temp.u(n, 5, %(seed)s) < 0.6 then (380500000000 + n)::text end,
       pg_temp.pick(n, 6, %(seed)s, '{Anna,Bohdan,Olena,Ivan,Maria,Petro,Sofia,Taras,Iryna,Andrii}'),
       'Koval' || floor(5000 * power(pg_temp.u(n, 7, %(seed)s), 2))::int,
       pg_temp.skewed(n, 8, %(seed)s, '{uk,en,pl,de}'),
       case when pg_temp.u(n, 9, %(seed)s) < 0.3 then 'Europe/Kyiv' end,
       pg_temp.skewed(n, 10, %(seed)s, '{Kyivska,Lvivska,Odeska,Kharkivska,Dniprovska}'),
       pg_temp.skewed(n, 10, %(seed)s, '{Kyiv,Lviv,Odesa,Kharkiv,Dnipro,Poltava,Rivne,Sumy,Lutsk,Uzhhorod}'),
       lpad((floor(99999 * pg_temp.u(n, 11, %(seed)s)))::int::text, 5, '0'),
       jsonb_strip_nulls(jsonb_build_object(
           %(points)s::text, case when pg_temp.u(n, 12, %(seed)s) < 0.5 then floor(1000 * power(pg_temp.u(n, 13, %(seed)s), 3)) end,
           %(birthday)s::text, case when pg_temp.u(n, 14, %(seed)s) < 0.4
                then (date '1950-01-01' + floor(20000 * pg_temp.u(n, 15, %(seed)s))::int)::text end,
           %(size)s::text, case when pg_temp.u(n, 16, %(seed)s) < 0.3 then pg_temp.skewed(n, 17, %(seed)s, '{M,L,S,XL}') end
       )),
       born, greatest(born, %(now)s - power(pg_temp.u(n, 19, %(seed)s), 2) * interval '720 days'),
       case when pg_temp.u(n, 20, %(seed)s) < 0.01 then %(now)s - interval '3 days' end
from (
    select n, %(now)s::timestamptz - power(pg_temp.u(n, 18, %(seed)s), 1.5) * interval '720 days' as born
    from generate_series(%(low)s::bigint, %(high)s::bigint) n
) as numbered
"""

# States as a list grows them: most are fine, some have left, some are dead.
_ADDRESSES = """
insert into address (org_id, kind, value, confirmed, unsubscribed_at, unsubscribe_source, complained_at, blacklisted_at,
                     blacklist_reason, blocked_until, soft_bounces)
select %(org)s, kind, value, pg_temp.u(n, salt, %(seed)s) < 0.94,
       case when chance < 0.06 then at end, case when chance < 0.06 then 'one_click' end,
       case when chance between 0.06 and 0.063 then at end,
       case when chance between 0.07 and 0.1 then at end, case when chance between 0.07 and 0.1 then 'hard bounce' end,
       case when chance between 0.1 and 0.12 then %(now)s + (chance - 0.11) * interval '1000 days' end,
       case when chance between 0.1 and 0.12 then 1 else 0 end
from (
    select contact_id as n, kind, value, salt, pg_temp.u(contact_id, salt + 1, %(seed)s) as chance,
           %(now)s - pg_temp.u(contact_id, salt + 2, %(seed)s) * interval '600 days' as at
    from contact
    cross join lateral (values ('email', email, 30), ('phone', phone, 40)) as one (kind, value, salt)
    where org_id = %(org)s and value is not null
) as given
order by kind, value
"""

_MEMBERS = """
insert into segment_member (org_id, segment_id, contact_id, joined_at)
select %(org)s, %(segment)s, contact_id, created_at
from contact where org_id = %(org)s and pg_temp.u(contact_id, %(salt)s, %(seed)s) < %(share)s
order by contact_id
"""

# One in twenty page views is nobody's yet.
_EVENTS = """
insert into event (org_id, occurred_at, event_type_id, event_key, contact_id, params, source, recorded_at)
select %(org)s, occurred_at, (%(type_ids)s::bigint[])[kind], (%(first)s + person)::text,
       case when kind > 1 or pg_temp.u(n, 54, %(seed)s) > 0.05 then %(first)s + person end,
       case kind
           when 1 then jsonb_build_object('url', '/page/' || product % 500)
           when 4 then jsonb_build_object('query', 'word' || product % 3000, 'found', product % 40)
           when 3 then jsonb_build_object('cart', n::text, 'sum', price * 3, 'items', product % 5)
           when 6 then jsonb_build_object('product', 'SKU-' || product, 'stars', 1 + product % 5)
           else jsonb_build_object('product', 'SKU-' || product, 'category', 'C' || product % 40, 'price', price)
       end,
       case when kind < 6 then 'tracker' else 'api' end, occurred_at
from (
    select n, pg_temp.moment(n, %(total)s, 50, %(seed)s, %(now)s, %(days)s) as occurred_at,
           width_bucket(pg_temp.u(n, 51, %(seed)s), %(shares)s::float8[]) + 1 as kind,
           floor(%(contacts)s * power(pg_temp.u(n, 52, %(seed)s), 2))::bigint as person,
           product, round((5 + 195 * power(product / %(products)s::float8, 2))::numeric, 2) as price
    from (
        select n, floor(%(products)s * power(pg_temp.u(n, 53, %(seed)s), 3))::bigint as product
        from generate_series(%(low)s::bigint, %(high)s::bigint) n
    ) as numbered
) as given
"""

# People are mixed, so that those who buy most are not those who look most; one order in thirty is nobody's.
_ORDERS = """
insert into orders (org_id, external_order_id, contact_id, status, total, currency, ordered_at, source, created_at, updated_at)
select %(org)s, 'SO-' || n,
       case when pg_temp.u(n, 60, %(seed)s) > 0.033 then %(first)s + (person * 7919 + 13) %% %(contacts)s end,
       case when ordered_at > %(now)s::timestamptz - interval '5 days' and pg_temp.u(n, 61, %(seed)s) < 0.6
            then pg_temp.pick(n, 62, %(seed)s, '{INITIALIZED,IN_PROGRESS}')
            else pg_temp.skewed(n, 63, %(seed)s, '{DELIVERED,DELIVERED,DELIVERED,CANCELLED,ABANDONED_SHOPPING_CART}') end,
       round((8 + 400 * power(pg_temp.u(n, 64, %(seed)s), 4))::numeric, 2),
       case when pg_temp.u(n, 65, %(seed)s) < 0.02 then 'PLN' else %(currency)s end,
       ordered_at, case when pg_temp.u(n, 66, %(seed)s) < 0.1 then 'offline' else 'online' end, ordered_at, ordered_at
from (
    select n, floor(%(contacts)s * power(pg_temp.u(n, 67, %(seed)s), 2))::bigint as person,
           pg_temp.moment(n, %(total)s, 68, %(seed)s, %(now)s, %(days)s) as ordered_at
    from generate_series(%(low)s::bigint, %(high)s::bigint) n
) as given
"""

_ITEMS = """
insert into order_item (org_id, order_id, position, external_item_id, name, category, quantity, cost)
select %(org)s, order_id, position, 'SKU-' || product, 'Product ' || product, 'C' || product %% 40,
       1 + floor(3 * power(pg_temp.u(order_id, 72 + position, %(seed)s), 4)), round(total / goods, 2)
from (
    select order_id, total, position, goods,
           floor(%(products)s * power(pg_temp.u(order_id * 8 + position, 71, %(seed)s), 3))::bigint as product
    from (
        select order_id, total, 1 + floor(3.2 * power(pg_temp.u(order_id, 70, %(seed)s), 1.5))::int as goods
        from orders where org_id = %(org)s
    ) as counted
    cross join lateral generate_series(1, goods) as position
) as given
order by order_id, position
"""

_ORDER_FACTS = """
insert into contact_orders (org_id, contact_id, orders, total, first_at, last_at, delivered, delivered_total,
                            delivered_first, delivered_last)
select %(org)s, contact_id, count(*) filter (where bought), coalesce(sum(total) filter (where bought and own), 0),
       min(ordered_at) filter (where bought), max(ordered_at) filter (where bought),
       count(*) filter (where delivered), coalesce(sum(total) filter (where delivered and own), 0),
       min(ordered_at) filter (where delivered), max(ordered_at) filter (where delivered)
from (
    select contact_id, total, ordered_at, currency = %(currency)s as own, status = 'DELIVERED' as delivered,
           status not in ('CANCELLED', 'ABANDONED_SHOPPING_CART') as bought
    from orders where org_id = %(org)s and contact_id is not null
) as given
group by contact_id order by contact_id
"""


def generate(
    url: str,
    org_id: int,
    *,
    contacts: int = 1_000_000,
    events: int = 10_000_000,
    orders: int = 3_000_000,
    seed: int = 7,
    now: datetime | None = None,
    say: Callable[[str], None] = print,
) -> Made:
    """Fills an organisation that has no people yet, of a migrated database; analyses and vacuums at the end.

    `now`: the moment the data are of, by default the start of today. `say` is told of every step.
    """
    now = now or datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    asyncio.run(_months(url, now))
    with connect(url, autocommit=True) as connection:
        return _Generation(connection, org_id, contacts, events, orders, seed, now, say).run()


async def _months(url: str, now: datetime) -> None:
    async with Database(url) as db, db.transaction() as conn:
        await partitions.ensure(conn, now)


class _Generation:
    def __init__(
        self,
        connection: Connection,
        org_id: int,
        contacts: int,
        events: int,
        orders: int,
        seed: int,
        now: datetime,
        say: Callable[[str], None],
    ) -> None:
        self.connection = connection
        self.totals = {"contacts": contacts, "events": events, "orders": orders}
        self.say = say
        self.values = {
            "org": org_id, "contacts": contacts, "seed": seed, "now": now, "days": DAYS, "products": PRODUCTS,
        }  # fmt: skip

    def run(self) -> Made:
        run = self.connection.execute
        for setting in ("statement_timeout = 0", "synchronous_commit = off", "work_mem = '256MB'"):
            run(f"set {setting}")
        run(_HELPERS)
        (currency,) = self.row("select currency from organisation where org_id = %(org)s")
        self.values["currency"] = currency
        (first,) = self.row("select nextval('contact_id_seq')")
        run("select setval('contact_id_seq', %s)", [first + self.totals["contacts"]])
        self.values["first"] = first
        fields, lists, types = self.fields(), self.lists(), self.event_types()
        self.values |= {name: str(fields[name]) for name in ("points", "birthday", "size")}
        self.pieces("contacts", _CONTACTS, start=0)
        self.step("addresses", _ADDRESSES)
        for salt, (name, share) in enumerate(LISTS.items(), 80):
            self.step(f"list {name}", _MEMBERS, segment=lists[name], salt=salt, share=share)
        shares = [sum(list(EVENT_TYPES.values())[: n + 1]) for n in range(len(EVENT_TYPES) - 1)]
        self.unindexed(
            "event",
            lambda: self.pieces(
                "events", _EVENTS.replace(" % ", " %% "), type_ids=list(types.values()), shares=shares
            ),
        )
        self.unindexed("orders", lambda: self.pieces("orders", _ORDERS))
        self.unindexed("order_item", lambda: self.step("order items", _ITEMS))
        self.step("order facts", _ORDER_FACTS)
        for table in (
            "contact",
            "address",
            "segment_member",
            "event",
            "orders",
            "order_item",
            "contact_orders",
        ):
            run(f"vacuum analyze {table}")
        run("checkpoint")
        return Made(
            self.values["org"], first, self.totals["contacts"], lists, fields, types, self.values["now"]
        )

    def row(self, query: str, **values: object) -> tuple:
        found = self.connection.execute(query, self.values | values).fetchone()
        assert found is not None
        return found

    def step(self, name: str, query: str, **values: object) -> None:
        started = time.perf_counter()
        rows = self.connection.execute(query, self.values | values).rowcount
        self.say(f"{name}: {rows:,} in {time.perf_counter() - started:.1f} s")

    def pieces(self, name: str, query: str, *, start: int = 1, **values: object) -> None:
        """In transactions of a bounded size; each row's values depend on its number alone."""
        total = self.totals[name]
        started = time.perf_counter()
        for low in range(start, total + start, BATCH):
            high = min(low + BATCH, total + start) - 1
            self.connection.execute(query, self.values | values | {"low": low, "high": high, "total": total})
        self.say(f"{name}: {total:,} in {time.perf_counter() - started:.1f} s")

    def unindexed(self, table: str, fill: Callable[[], None]) -> None:
        """Fills a table without the indexes that are no constraint, and makes these anew: twice as fast."""
        indexes = self.connection.execute(
            "select indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index "
            "where indrelid = %s::regclass and not indisprimary and not indisunique",
            [table],
        ).fetchall()
        for name, _ in indexes:
            self.connection.execute(f"drop index {name}")
        fill()
        started = time.perf_counter()
        for _, definition in indexes:
            self.connection.execute(definition.replace(" ON ONLY ", " ON "))
        self.say(f"indexes of {table} in {time.perf_counter() - started:.1f} s")

    def fields(self) -> dict[str, int]:
        (group,) = self.row(
            "insert into field_group (org_id, name, key) values (%(org)s, 'Shop', 'shop') returning group_id"
        )
        choices = {"combobox": ["S", "M", "L", "XL"], "checkboxlist": ["red", "green", "blue"]}
        return {
            key: self.row(
                "insert into field (org_id, group_id, name, key, type, choices) "
                "values (%(org)s, %(group)s, %(key)s, %(key)s, %(type)s, %(choices)s) returning field_id",
                group=group, key=key, type=kind, choices=choices.get(kind),
            )[0]
            for key, kind in FIELDS.items()
        }  # fmt: skip

    def lists(self) -> dict[str, int]:
        insert = "insert into segment (org_id, name, kind) values (%(org)s, %(name)s, 'static') returning segment_id"
        return {name: self.row(insert, name=name)[0] for name in LISTS}

    def event_types(self) -> dict[str, int]:
        insert = "insert into event_type (org_id, key, name) values (%(org)s, %(key)s, %(key)s) returning event_type_id"
        return {key: self.row(insert, key=key)[0] for key in EVENT_TYPES}


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("url", help="of the database; it is migrated and gets an organisation of its own")
    arguments.add_argument("--contacts", type=int, default=1_000_000)
    arguments.add_argument("--events", type=int, default=10_000_000)
    arguments.add_argument("--orders", type=int, default=3_000_000)
    arguments.add_argument("--seed", type=int, default=7)
    arguments.add_argument(
        "--now", type=datetime.fromisoformat, help="the day the data are of; default: today"
    )
    options = arguments.parse_args()
    migrate(options.url)
    made = generate(
        options.url,
        asyncio.run(_organisation(options.url, options.seed)),
        contacts=options.contacts,
        events=options.events,
        orders=options.orders,
        seed=options.seed,
        now=options.now and options.now.replace(tzinfo=UTC),
    )
    print(f"organisation {made.org_id}")


async def _organisation(url: str, seed: int) -> int:
    async with Database(url) as db, db.transaction() as conn:
        org_id, _ = await create_organisation(
            conn,
            Keys.of("a secret of the benchmarks"),
            name=f"Made up, seed {seed}",
            owner="owner@example.com",
        )
    return org_id


if __name__ == "__main__":
    sys.exit(main())
