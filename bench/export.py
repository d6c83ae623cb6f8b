"""Exports of a generated shop, made by a worker of their own, against COPY of the same table to nowhere.

Two lines a kind: rows, size and the most memory that the worker held; rows a second and the ratio.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Any

import psycopg
import uvloop

from _harness import database, organisation, report
from generate import generate
from perigee.db.pool import Database
from perigee.exports import manage, store
from perigee.exports.run import run
from perigee.exports.types import ExportCreate
from perigee.lib import garbage

TABLES = {
    "contacts": "contact_id, external_id, email, phone, first_name, last_name, fields",
    "orders": "order_id, external_order_id, contact_id, status, total, currency, ordered_at, created_at",
    "events": "event_id, occurred_at, event_type_id, event_key, contact_id, source, params",
}
NAMES = {"contacts": "contact", "orders": "orders", "events": "event"}


async def exported(url: str, org_id: int, kind: Any) -> tuple[int, int, float]:
    """(rows, bytes, seconds)."""
    async with Database(url, name="perigee worker") as db:
        async with db.transaction() as conn:
            row = await manage.create(conn, org_id, ExportCreate(kind=kind), datetime.now(UTC))
        began = time.perf_counter()
        await run(db, org_id, row.export_id, datetime.now(UTC))
        seconds = time.perf_counter() - began
        async with db.connection() as conn:
            done = await store.get(conn, org_id, row.export_id)
    assert done is not None
    assert done.state == "done", done
    return done.done, done.bytes, seconds


def copied(url: str, org_id: int, kind: str) -> float:
    """Rows a second of COPY."""
    query = f"copy (select {TABLES[kind]} from {NAMES[kind]} where org_id = {org_id}) to stdout (format csv)"
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        began = time.perf_counter()
        with cursor.copy(query) as copy:
            rows = sum(bytes(piece).count(b"\n") for piece in copy)
        return rows / (time.perf_counter() - began)


def work(url: str, org_id: int, kind: str) -> None:
    garbage.calm()
    rows, size, seconds = uvloop.run(exported(url, org_id, kind))
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([rows, size, seconds, held]))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--contacts", type=int, default=100_000)
    arguments.add_argument("--events", type=int, default=300_000)
    arguments.add_argument("--orders", type=int, default=200_000)
    options = arguments.parse_args()
    with database() as url:
        org_id, _ = organisation(url)
        sizes = {"contacts": options.contacts, "events": options.events, "orders": options.orders}
        generate(url, org_id, **sizes, say=lambda _: None)
        for kind in TABLES:
            bound = copied(url, org_id, kind)
            command = [sys.executable, __file__, "--work", url, str(org_id), kind]
            out = subprocess.run(command, check=True, capture_output=True).stdout
            rows, size, seconds, held = json.loads(out)
            print(
                f"{kind}: {rows:,} rows, {size / 1e6:.0f} MB in {seconds:.1f} s; the worker held {held:.0f} MB at most"
            )
            figures = {"value": rows / seconds, "bound": bound, "peak_mb": held, "rows": rows}
            report(f"export_{kind}", figures, bound="COPY of the table", reach=0.02)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(sys.argv[2], int(sys.argv[3]), sys.argv[4])
    else:
        main()
