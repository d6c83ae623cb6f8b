"""Live segments: how soon a change is seen in them, and what they take from a campaign.

    python bench/live_segments.py [--contacts 1000000] [--events 2000000] [--orders 500000] [--segments 100]
        [--recipients 40000] [--rounds 2] [--seconds 30] [--rate 1000] [--workers 2]

Latency: half of the changes are updates of contacts, half events, in twenty transactions a second, of people of whom
each changes once and comes into one of two segments that are there for this. Counted from the commit until another
connection, which looks every ten milliseconds, sees the person come in. Reach: 95 of 100 within a second.

Sending: the campaign of row 5 to people of an organisation whose segments are live, with 100 changes a second of others
meanwhile, in turns with the same campaign in an organisation of as many people that has no segments. Nothing waits
when a round begins. Reach: 0.8 of alone.

At last every segment must hold whom its rule holds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

from _harness import RESULTS, SECRET, database, median, organisation
from campaign_smtp import MESSAGE, campaign, workers
from generate import Made, generate
from live_rules import PROBE_NAME, PROBE_PARAM, PROBES, rules
from perigee.contacts.policy import UPDATE_BY_ID
from perigee.contacts.rows import ContactRow
from perigee.contacts.upsert import Done, upsert
from perigee.db.pool import Connection, Database
from perigee.delivery.providers import add_provider
from perigee.events.record import record
from perigee.events.types import NewEvent
from perigee.keys import Keys
from perigee.messages.manage import create
from perigee.segments import manage, store
from perigee.segments.compile import compile_ids
from perigee.segments.reading import read_segment
from smtp_sink import running_sink

LATENCY_REACH = 1.0
SENDING_REACH = 0.8
TICKS = 20
"""Transactions a second of the writer."""
BESIDE = 100
"""Changes a second beside a campaign."""
LOOK = 0.01
PATIENCE = 1800.0
AGAIN = 60.0
"""Seconds for which a segment may differ from its rule: a block that ends is looked for every half minute."""


class Shop(NamedTuple):
    """An organisation with what a campaign needs."""

    made: Made
    list_id: int
    message_id: int


async def equip(url: str, made: Made, recipients: int, port: int) -> Shop:
    """A list of people who get a mail and are at no mailbox provider that we spare, a message, the provider."""
    async with Database(url) as db, db.transaction() as conn:
        listed = await manage.create_list(conn, made.org_id, "Recipients")
        await conn.execute(
            """insert into segment_member (org_id, segment_id, contact_id)
               select %(org)s, %(list)s, c.contact_id
               from contact c join address a on a.org_id = %(org)s and a.kind = 'email' and a.value = c.email
               where c.org_id = %(org)s and c.deleted_at is null and c.email like '%%@example.%%' and a.confirmed and a.unsubscribed_at is null
                 and a.complained_at is null and a.blacklisted_at is null and a.blocked_until is null
               order by hashint8(c.contact_id) limit %(count)s""",
            {"org": made.org_id, "list": listed.segment_id, "count": recipients},
        )
        await add_provider(
            conn,
            made.org_id,
            Keys.of(SECRET).sealing,
            channel="email",
            kind="smtp",
            name="Sink",
            settings={"host": "127.0.0.1", "port": port, "security": "none"},
        )
        message_id = await create(conn, made.org_id, "email", dict(MESSAGE), default_language="en")
    return Shop(made, listed.segment_id, message_id)


class Bench:
    """One connection for the looks, one for the changes."""

    def __init__(self, db: Database, org_id: int) -> None:
        self.db = db
        self.org_id = org_id
        self.segments: list[int] = []
        self.people: list[int] = []
        self.committed: dict[int, float] = {}
        self.seen: dict[int, float] = {}

    async def build(self, conditions: Sequence[Any]) -> float:
        """Makes the segments; seconds until all are followed and right."""
        started = time.perf_counter()
        for number, condition in enumerate(conditions):
            async with self.db.transaction() as conn:
                made = await manage.create_dynamic(
                    conn, self.org_id, f"Live {number}", condition, datetime.now(UTC)
                )
            self.segments.append(made.segment_id)
        await self.until("segments are not ready", self._ready)
        return time.perf_counter() - started

    async def choose(self, count: int) -> None:
        """Living people in an order that has to do with nothing; each is changed once."""
        query = """select contact_id from contact where org_id = %(org_id)s and deleted_at is null
                   order by hashint8extended(contact_id, 1) limit %(count)s"""
        async with self.db.connection() as conn:
            self.people = await store.column(conn, query, {"org_id": self.org_id, "count": count})
        if len(self.people) < count:
            raise SystemExit(f"{count} people are to be changed, there are {len(self.people)}")

    async def until(self, wrong: str, true: Any) -> float:
        """Seconds that it took."""
        started = time.perf_counter()
        while not await true():
            if time.perf_counter() - started > PATIENCE:
                raise SystemExit(f"after {PATIENCE:,.0f} s {wrong}")
            await asyncio.sleep(0.05)
        return time.perf_counter() - started

    async def idle(self) -> float:
        return await self.until("changes still wait", self._drained)

    async def change(self, rate: int, stop: asyncio.Event, most: int) -> int:
        """Changes so many people a second, in the pace even when a transaction is late; returns how many."""
        batch = max(1, rate // TICKS)
        due = time.perf_counter()
        done = 0
        while done < most and not stop.is_set():
            ids = [self.people.pop() for _ in range(min(batch, most - done))]
            await self._change(ids, events=bool(done // batch % 2))
            done += len(ids)
            due += len(ids) / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
        return done

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """Notes when who was changed is seen to come in."""
        stop = asyncio.Event()
        looks = asyncio.create_task(self._look(stop))
        try:
            yield
            await self.until("people have not come in", self._all_seen)
        finally:
            stop.set()
            await looks

    def latencies(self) -> list[float]:
        """Seconds, in order."""
        return sorted(self.seen[one] - moment for one, moment in self.committed.items())

    async def different(self) -> dict[int, int]:
        """Segment → people on one side only, of those segments that are not what their rules say."""
        async with self.db.transaction() as conn:
            await conn.execute("set transaction isolation level repeatable read")
            return {one: count for one in self.segments if (count := await self._difference(conn, one))}

    async def check(self) -> None:
        until = time.perf_counter() + AGAIN
        while wrong := await self.different():
            if time.perf_counter() > until:
                raise SystemExit(f"segments that differ from their rules, people by segment: {wrong}")
            await asyncio.sleep(1.0)
            await self.idle()

    async def _change(self, ids: list[int], *, events: bool) -> None:
        async with self.db.transaction() as conn:
            if events:
                params = {"query": PROBE_PARAM}
                await record(
                    conn,
                    self.org_id,
                    [NewEvent("wishlist", None, contact_id=one, params=params) for one in ids],
                )
            else:
                rows = [ContactRow(contact_id=one, last_name=PROBE_NAME) for one in ids]
                results = await upsert(conn, self.org_id, rows, UPDATE_BY_ID)
                if not all(isinstance(one, Done) for one in results):
                    raise SystemExit(f"refused: {results}")
        now = time.perf_counter()
        self.committed.update(dict.fromkeys(ids, now))

    async def _look(self, stop: asyncio.Event) -> None:
        after = 0
        query = """select change_id, contact_id from segment_change
                   where org_id = %(org_id)s and change_id > %(after)s and segment_id = any(%(probes)s) and joined
                   order by change_id"""
        async with self.db.connection() as conn:
            await conn.set_autocommit(True)
            while not stop.is_set():
                values = {"org_id": self.org_id, "after": after, "probes": self.segments[:PROBES]}
                rows = await (await conn.execute(query, values)).fetchall()
                now = time.perf_counter()
                for change_id, contact_id in rows:
                    after = change_id
                    self.seen.setdefault(contact_id, now)
                await asyncio.sleep(LOOK)
            await conn.set_autocommit(False)

    async def _all_seen(self) -> bool:
        return self.committed.keys() <= self.seen.keys()

    async def _ready(self) -> bool:
        query = "select status, count(*), max(error) from segment_state where org_id = %s group by status"
        async with self.db.connection() as conn:
            rows = await (await conn.execute(query, [self.org_id])).fetchall()
        if failed := [row for row in rows if row[0] in ("failed", "too_expensive")]:
            raise SystemExit(f"segments stand still: {failed}")
        return {status: count for status, count, _ in rows} == {"ready": len(self.segments)}

    async def _drained(self) -> bool:
        query = "select exists (select from segment_dirty where org_id = %s)"
        async with self.db.connection() as conn:
            row = await (await conn.execute(query, [self.org_id])).fetchone()
        return row == (False,)

    async def _difference(self, conn: Connection, segment_id: int) -> int:
        compiled = compile_ids(*await read_segment(conn, self.org_id, segment_id, datetime.now(UTC)))
        true = set(await store.column(conn, compiled.sql, compiled.values))
        query = (
            "select contact_id from segment_live where org_id = %(org_id)s and segment_id = %(segment_id)s"
        )
        values = {"org_id": self.org_id, "segment_id": segment_id}
        return len(true ^ set(await store.column(conn, query, values)))


async def measure_latency(bench: Bench, rate: int, seconds: int) -> dict[str, float]:
    await bench.idle()
    bench.committed.clear()
    bench.seen.clear()
    started = time.perf_counter()
    async with bench.looking():
        changed = await bench.change(rate, asyncio.Event(), rate * seconds)
        took = time.perf_counter() - started
    found = bench.latencies()
    return {
        "changes": changed,
        "rate": changed / took,
        "p50": median(found),
        "p95": found[max(0, -(-len(found) * 95 // 100) - 1)],
        "max": found[-1],
    }


async def measure_sending(url: str, bench: Bench, live: Shop, alone: Shop, rounds: int) -> dict[str, Any]:
    """The first campaign of each is not counted: the workers open their connections in it."""
    rates: dict[str, list[float]] = {"live": [], "alone": []}
    waits = []
    for number in range(rounds + 1):
        await bench.idle()
        quiet = await _campaign(url, alone)
        stop = asyncio.Event()
        changes = asyncio.create_task(bench.change(BESIDE, stop, len(bench.people)))
        beside = await _campaign(url, live)
        stop.set()
        await changes
        waited = await bench.idle()
        if number:
            rates["alone"].append(quiet)
            rates["live"].append(beside)
            waits.append(waited)
        print(f"round {number}: alone {quiet:,.0f}/s, live {beside:,.0f}/s, worked in {waited:.1f} s later")
    return {
        "live": median(rates["live"]),
        "alone": median(rates["alone"]),
        "rounds": rates,
        "worked_in_later": median(waits),
    }


async def _campaign(url: str, shop: Shop) -> float:
    return await campaign(url, shop.made.org_id, shop.list_id, shop.message_id)


async def run(url: str, live: Shop, alone: Shop, options: argparse.Namespace) -> dict[str, Any]:
    async with Database(url, size=4) as db:
        bench = Bench(db, live.made.org_id)
        built = await bench.build(rules(live.made, options.segments))
        print(f"{options.segments} segments built in {built:.1f} s")
        await bench.choose(min(options.contacts * 9 // 10, options.rate * options.seconds + BESIDE * 600))
        latency = await measure_latency(bench, options.rate, options.seconds)
        show_latency(latency)
        sending = await measure_sending(url, bench, live, alone, options.rounds)
        show_sending(sending)
        await bench.check()
        return {"built_seconds": built, "latency": latency, "sending": sending}


def show_latency(found: dict[str, float]) -> None:
    print(
        f"live_segments: seen after {found['p50']:.2f} s, p95 {found['p95']:.2f} s, worst {found['max']:.2f} s,"
        f" of {found['changes']:,} changes at {found['rate']:,.0f}/s; reach p95 {LATENCY_REACH} s",
        flush=True,
    )


def show_sending(found: dict[str, Any]) -> None:
    print(
        f"live_segments: campaign at {found['live']:,.0f}/s, alone {found['alone']:,.0f}/s,"
        f" ratio {found['live'] / found['alone']:.2f}, reach {SENDING_REACH}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--orders", type=int, default=500_000)
    parser.add_argument("--segments", type=int, default=100)
    parser.add_argument("--recipients", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    with database() as url, running_sink() as (_, port):
        shops = []
        for events, orders in ((options.events, options.orders), (0, 0)):
            org_id, _ = organisation(url)
            made = generate(url, org_id, contacts=options.contacts, events=events, orders=orders)
            shops.append(asyncio.run(equip(url, made, options.recipients, port)))
        load = os.getloadavg()[0]
        with workers(url, options.workers, False):
            found = asyncio.run(run(url, *shops, options))
    RESULTS.mkdir(exist_ok=True)
    result = {
        "name": "live_segments",
        **found,
        **vars(options),
        "cores": os.cpu_count(),
        "load": load,
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    (RESULTS / "live_segments.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
