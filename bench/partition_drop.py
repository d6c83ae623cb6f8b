"""What writers notice while a month of a million events is dropped: the longest single insert.

    python bench/partition_drop.py [--rows 1000000] [--writers 4] [--seconds 3]

Writers insert one event of the present after the other, each in its own transaction, first alone, then while retention
drops the old month, then while it does so and a transaction that has written stays open the whole time.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from _harness import SETTINGS, database, organisation, report_times
from perigee.db import partitions
from perigee.db.pool import Connection, Database
from perigee.retention import work

_FILL = """
insert into event (org_id, occurred_at, event_type_id, event_key, contact_id, params)
select %(org)s, %(at)s::timestamptz + n * interval '1 millisecond', 1, n::text, n %% 10000, '{"product": "SKU-1", "price": 9.5}'
from generate_series(1, %(rows)s) n
"""
_ONE = "insert into event (org_id, occurred_at, event_type_id, event_key, contact_id) values (%s, now(), 1, 'x', 1)"


@asynccontextmanager
async def writing(url: str, org_id: int, writers: int, times: list[float]) -> AsyncIterator[None]:
    """Writers at work until the body ends; milliseconds of each insert."""
    stop = asyncio.Event()
    async with Database(url, size=writers) as db:

        async def write() -> None:
            async with db.connection() as conn:
                while not stop.is_set():
                    started = time.perf_counter()
                    await conn.execute(_ONE, [org_id])
                    times.append((time.perf_counter() - started) * 1000)

        tasks = [asyncio.create_task(write()) for _ in range(writers)]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*tasks)


async def measure(url: str, org_id: int, rows: int, writers: int, seconds: float) -> dict[str, list[float]]:
    now = datetime.now(UTC)
    settings = replace(SETTINGS, keep_event_months=12)
    old = partitions.months(now, 13, 0)[0][0] + timedelta(days=3)
    figures: dict[str, list[float]] = {}
    async with Database(url) as db:

        async def fill() -> None:
            async with db.transaction() as conn:
                await partitions.ensure(conn, now)
                await conn.execute("set local statement_timeout = 0")
                await conn.execute(_FILL, {"org": org_id, "at": old, "rows": rows})

        async def drop(name: str, **given: str) -> None:
            await fill()
            times = figures[name] = []
            async with writing(url, org_id, writers, times):
                await asyncio.sleep(0.3)
                started = time.perf_counter()
                dropped = await work.run(db, replace(settings, **given), now)
                took = time.perf_counter() - started
                await asyncio.sleep(0.3)
            print(f"{name}: {len(dropped)} months dropped in {took:.2f} s, {len(times):,} inserts meanwhile")

        async with db.transaction() as conn:
            await partitions.ensure(conn, now)
        times = figures["an insert, nothing else going on"] = []
        async with writing(url, org_id, writers, times):
            await asyncio.sleep(seconds)
        await drop("while a month is dropped")
        with tempfile.TemporaryDirectory() as folder:
            await drop("while a month is exported and dropped", keep_export_folder=folder)
        async with held(url, org_id):
            await drop("while a month is emptied and an open transaction keeps it from being dropped")
    return figures


@asynccontextmanager
async def held(url: str, org_id: int) -> AsyncIterator[None]:
    async with await Connection.connect(url) as conn:
        await conn.execute(_ONE, [org_id])
        yield


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--writers", type=int, default=4)
    arguments.add_argument("--seconds", type=float, default=3)
    options = arguments.parse_args()
    with database() as url:
        org_id, _ = organisation(url)
        figures = asyncio.run(measure(url, org_id, options.rows, options.writers, options.seconds))
    report_times("partition_drop", figures)


if __name__ == "__main__":
    main()
