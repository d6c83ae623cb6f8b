"""Row 7: a segment of ten conditions over generated customers, against hand-written SQL.

    python bench/segment.py [--contacts 1000000] [--events 10000000] [--orders 3000000] [--rounds 7] [--url URL] [--explain]

Ours is everything between the JSON of the condition and the count: reading, the look at its cheap part (`narrow`),
compiling, the statement. By hand there are several statements for the same question, written for these data; the
bound is the one that turns out fastest. All are asked in turns on one connection with the same memory. `--url`: a
database that `bench/generate.py` has filled with the same seed, and whose only organisation it is.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from _harness import RESULTS, database, median, organisation
from generate import Made, generate
from perigee.db.pool import Connection, Database
from perigee.segments import store
from perigee.segments.compile import compile_count
from perigee.segments.conditions import read
from perigee.segments.limits import NORMAL
from perigee.segments.narrow import narrow
from perigee.segments.reading import read_tree

REACH = 1.2


def condition(made: Made) -> Any:
    """Regular customers who look at a category, would read a mail, and have sent nothing back."""
    return {
        "is": "exclude",
        "of": {"is": "all", "of": [
            {"is": "field", "field": "languageCode", "test": {"op": "equals", "value": "uk"}},
            {"is": "address_state", "kind": "email", "state": "active"},
            {"is": "orders", "measure": "count", "test": {"op": "at_least", "value": 2}},
            {"is": "orders", "measure": "total", "test": {"op": "at_least", "value": 50}, "which": "placed",
             "period": {"op": "last_days", "days": 365}},
            {"is": "event", "type": "product_view", "times": {"op": "at_least", "value": 2},
             "period": {"op": "last_days", "days": 90},
             "where": [{"param": "category", "test": {"op": "one_of", "values": [f"C{n}" for n in range(15)]}}]},
            {"is": "segment", "id": made.lists["Newsletter"]},
            {"is": "any", "of": [
                {"is": "additional", "id": made.fields["points"], "test": {"op": "at_least", "value": 100}},
                {"is": "event", "type": "wishlist", "period": {"op": "last_days", "days": 180}},
            ]},
            {"is": "not", "of": {"is": "event", "type": "return_requested", "period": {"op": "last_days", "days": 365}}},
        ]},
        "minus": {"is": "segment", "id": made.lists["Staff"]},
    }  # fmt: skip


_PERSON = """
  c.org_id = %(org)s and c.deleted_at is null and lower(c.language) = 'uk'
  and exists (select from address a where a.org_id = %(org)s and a.kind = 'email' and a.value = c.email and a.confirmed
              and a.unsubscribed_at is null and a.complained_at is null and a.blacklisted_at is null
              and (a.blocked_until is null or a.blocked_until <= %(now)s))
  and exists (select from contact_orders o where o.org_id = %(org)s and o.contact_id = c.contact_id and o.delivered >= 2)
  and exists (select from segment_member m where m.org_id = %(org)s and m.segment_id = %(newsletter)s
              and m.contact_id = c.contact_id)
  and not exists (select from segment_member m where m.org_id = %(org)s and m.segment_id = %(staff)s
                  and m.contact_id = c.contact_id)
"""
_POINTS = "case when c.fields ->> %(points)s ~ '^[0-9.]+$' then (c.fields ->> %(points)s)::numeric >= 100 else false end"

BY_HAND = {
    "sets": f"""
select count(*) from contact c
where {_PERSON}
  and c.contact_id in (
      select contact_id from orders
      where org_id = %(org)s and contact_id is not null and ordered_at >= %(year)s and ordered_at < %(end)s
        and status not in ('CANCELLED', 'ABANDONED_SHOPPING_CART')
      group by contact_id having sum(total) filter (where currency = %(currency)s) >= 50)
  and c.contact_id in (
      select contact_id from event
      where org_id = %(org)s and event_type_id = %(view)s and occurred_at >= %(ninety)s and occurred_at < %(end)s
        and contact_id is not null and params ->> 'category' = any(%(categories)s)
      group by contact_id having count(*) >= 2)
  and ({_POINTS} or exists (
      select from event e where e.org_id = %(org)s and e.contact_id = c.contact_id and e.event_type_id = %(wishlist)s
        and e.occurred_at >= %(half)s and e.occurred_at < %(end)s))
  and not exists (
      select from event e where e.org_id = %(org)s and e.contact_id = c.contact_id and e.event_type_id = %(return)s
        and e.occurred_at >= %(year)s and e.occurred_at < %(end)s)
""",
    "person by person": f"""
with few as materialized (select c.contact_id, {_POINTS} as points from contact c where {_PERSON})
select count(*) from few c
where (select sum(total) filter (where currency = %(currency)s) from orders o
       where o.org_id = %(org)s and o.contact_id = c.contact_id and o.ordered_at >= %(year)s and o.ordered_at < %(end)s
         and o.status not in ('CANCELLED', 'ABANDONED_SHOPPING_CART')) >= 50
  and (select count(*) from event e where e.org_id = %(org)s and e.contact_id = c.contact_id
         and e.event_type_id = %(view)s and e.occurred_at >= %(ninety)s and e.occurred_at < %(end)s
         and e.params ->> 'category' = any(%(categories)s)) >= 2
  and (c.points or exists (
      select from event e where e.org_id = %(org)s and e.contact_id = c.contact_id and e.event_type_id = %(wishlist)s
        and e.occurred_at >= %(half)s and e.occurred_at < %(end)s))
  and not exists (
      select from event e where e.org_id = %(org)s and e.contact_id = c.contact_id and e.event_type_id = %(return)s
        and e.occurred_at >= %(year)s and e.occurred_at < %(end)s)
""",
    "rarest first": f"""
with viewed as materialized (
    select contact_id from event
    where org_id = %(org)s and event_type_id = %(view)s and occurred_at >= %(ninety)s and occurred_at < %(end)s
      and contact_id is not null and params ->> 'category' = any(%(categories)s)
    group by contact_id having count(*) >= 2
), few as materialized (
    select c.contact_id, {_POINTS} as points from viewed join contact c on c.contact_id = viewed.contact_id
    where {_PERSON}
)
select count(*) from few c
where (select sum(total) filter (where currency = %(currency)s) from orders o
       where o.org_id = %(org)s and o.contact_id = c.contact_id and o.ordered_at >= %(year)s and o.ordered_at < %(end)s
         and o.status not in ('CANCELLED', 'ABANDONED_SHOPPING_CART')) >= 50
  and (c.points or exists (
      select from event e where e.org_id = %(org)s and e.contact_id = c.contact_id and e.event_type_id = %(wishlist)s
        and e.occurred_at >= %(half)s and e.occurred_at < %(end)s))
  and not exists (
      select from event e where e.org_id = %(org)s and e.contact_id = c.contact_id and e.event_type_id = %(return)s
        and e.occurred_at >= %(year)s and e.occurred_at < %(end)s)
""",
}


def values_by_hand(made: Made) -> dict[str, object]:
    """The generated organisation counts in UTC, as `last_days` does: today and the days before."""
    today = made.now
    return {
        "org": made.org_id,
        "now": made.now,
        "currency": "USD",
        "points": str(made.fields["points"]),
        "newsletter": made.lists["Newsletter"],
        "staff": made.lists["Staff"],
        "view": made.event_types["product_view"],
        "wishlist": made.event_types["wishlist"],
        "return": made.event_types["return_requested"],
        "ninety": today - timedelta(days=90),
        "half": today - timedelta(days=180),
        "year": today - timedelta(days=365),
        "categories": [f"C{n}" for n in range(15)],
        "end": today + timedelta(days=1),
    }


async def _found(url: str) -> Made:
    """What `generate` says it has made, read from the database."""
    async with Database(url) as db, db.connection() as conn:

        async def pairs(query: str) -> dict[str, int]:
            return dict(await (await conn.execute(query)).fetchall())  # type: ignore[arg-type]

        row = await (
            await conn.execute(
                "select org_id, min(contact_id), count(*) from contact group by org_id order by 3 desc"
            )
        ).fetchone()
        assert row is not None
        last = await (
            await conn.execute("select max(occurred_at) from event where org_id = %s", [row[0]])
        ).fetchone()
        assert last is not None
        return Made(
            row[0],
            row[1],
            row[2],
            await pairs("select name, segment_id from segment"),
            await pairs("select key, field_id from field"),
            await pairs("select key, event_type_id from event_type"),
            last[0] + timedelta(seconds=1),
        )


async def measure(url: str, made: Made, rounds: int, explained: bool) -> dict[str, Any]:
    async with Database(url) as db, db.connection() as conn:
        await conn.execute(
            "update organisation set time_zone = 'UTC', currency = 'USD' where org_id = %s", [made.org_id]
        )
        await conn.commit()
        values = values_by_hand(made)
        parts: dict[str, list[float]] = {"narrow": [], "count": []}

        async def ours() -> int:
            started = time.perf_counter()
            reading = await read_tree(conn, made.org_id, read(condition(made)), made.now, strict=True)
            narrowed = await narrow(conn, reading)
            asked = time.perf_counter()
            compiled = compile_count(*narrowed)
            found = (await store.column(conn, compiled.sql, compiled.values))[0]
            parts["narrow"].append((asked - started) * 1000)
            parts["count"].append((time.perf_counter() - asked) * 1000)
            if explained and len(parts["count"]) == 2:
                plan = await conn.execute(
                    "explain (analyze, buffers, costs) " + compiled.sql, compiled.values, prepare=False
                )
                print("\n".join(line for (line,) in await plan.fetchall()))
            return int(found)

        def by_hand(query: str) -> Callable[[], Awaitable[int]]:
            async def run() -> int:
                row = await (await conn.execute(query, values, prepare=False)).fetchone()
                assert row is not None
                return int(row[0])

            return run

        ways = {"ours": ours} | {name: by_hand(query) for name, query in BY_HAND.items()}
        return {
            **await _rounds(conn, ways, rounds),
            **{name: median(times[1:]) for name, times in parts.items()},
        }


async def _rounds(
    conn: Connection, ways: dict[str, Callable[[], Awaitable[int]]], rounds: int
) -> dict[str, Any]:
    times: dict[str, list[float]] = {name: [] for name in ways}
    answers: dict[str, int] = {}
    for number in range(rounds + 1):
        for name, run in ways.items():
            async with conn.transaction():
                await store.bound(conn, str(10_000 * NORMAL.seconds), NORMAL.work_mem)
                started = time.perf_counter()
                answers[name] = await run()
                if number:  # the first round fetches what is on disk
                    times[name].append((time.perf_counter() - started) * 1000)
    if len(set(answers.values())) != 1 or not answers["ours"]:
        raise RuntimeError(f"the ways do not agree, or find nobody: {answers}")
    return {"people": answers["ours"], "milliseconds": {name: median(found) for name, found in times.items()}}


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--contacts", type=int, default=1_000_000)
    arguments.add_argument("--events", type=int, default=10_000_000)
    arguments.add_argument("--orders", type=int, default=3_000_000)
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--url")
    arguments.add_argument("--explain", action="store_true", help="show the plan of ours")
    options = arguments.parse_args()
    if options.url:
        _report(
            asyncio.run(
                measure(options.url, asyncio.run(_found(options.url)), options.rounds, options.explain)
            )
        )
        return
    with database() as url:
        org_id, _ = organisation(url)
        made = generate(url, org_id, contacts=options.contacts, events=options.events, orders=options.orders)
        _report(asyncio.run(measure(url, made, options.rounds, options.explain)) | vars(options))


def _report(found: dict[str, Any]) -> None:
    times = dict(found["milliseconds"])
    value = times.pop("ours")
    best = min(times, key=times.__getitem__)
    print(
        f"segment: {value:,.0f} ms ({found['narrow']:,.0f} of them before the count) for {found['people']:,} people, "
        f"by hand {times[best]:,.0f} ms ({best}; {', '.join(f'{name} {ms:,.0f}' for name, ms in times.items())}), "
        f"ratio {value / times[best]:.2f}, reach {REACH}"
    )
    RESULTS.mkdir(exist_ok=True)
    result = {
        "name": "segment",
        **found,
        "ratio": value / times[best],
        "reach": REACH,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    (RESULTS / "segment.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
