"""A CSV file of new contacts through `/api/v4/imports`, from the start until it is finished, against COPY.

The bound is COPY of the same rows into the same tables (`address`, `contact`), by the step of the import a
transaction, their text made before the clock starts. One line: rows a second, the ratio, and the most memory that the
worker held. `--rows 1000000` is the figure of the issue.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import psycopg
import uvloop

from _harness import database, median, organisation, report
from perigee.db.pool import Database
from perigee.imports import spool, start, store
from perigee.imports.kind import kind_of
from perigee.imports.run import STEP, run_import
from perigee.imports.types import Plan
from perigee.lib import garbage

HEADINGS = "email;phone;external_id;first_name;last_name;language;region;town;street;postcode;SHOP.LEVEL;SHOP.BONUS\n"
TOWNS = ("Kyiv", "Lviv", "Odesa", "Dnipro", "Kharkiv")
NAMES = ("Anna", "Bohdan", "Chloe", "Danylo", "Emma", "Fedir")
LEVELS = ("gold", "silver", "bronze")


def people(rows: int, start_at: int) -> Iterator[list[str]]:
    shuffled = random.Random(1)
    for number in range(start_at, start_at + rows):
        yield [
            f"person{number}@example{number % 50}.com",
            str(380500000000 + number),
            f"CRM-{number}",
            shuffled.choice(NAMES),
            f"{shuffled.choice(NAMES)}enko",
            shuffled.choice(("uk", "en", "de")),
            f"Region {number % 24}",
            shuffled.choice(TOWNS),
            f"Main street {number % 200}",
            f"{number % 100000:05}",
            shuffled.choice(LEVELS),
            str(number % 1000),
        ]


def write(file: IO[bytes], rows: int, start_at: int) -> None:
    file.write(HEADINGS.encode())
    for person in people(rows, start_at):
        file.write((";".join(person) + "\n").encode())
    file.flush()


def copied(url: str, org_id: int, rows: int, start_at: int, fields: tuple[str, str]) -> float:
    """Rows per second of COPY."""
    addresses: list[str] = []
    contacts: list[str] = []
    texts: list[tuple[bytes, bytes]] = []
    for number, (email, phone, *rest, level, bonus) in enumerate(people(rows, start_at), 1):
        addresses.append(f"{org_id}\temail\t{email}\n{org_id}\tphone\t{phone}\n")
        values = json.dumps({fields[0]: level, fields[1]: int(bonus)})
        contacts.append("\t".join([str(org_id), email, phone, *rest, values]) + "\n")
        if number % STEP == 0 or number == rows:
            texts.append(("".join(addresses).encode(), "".join(contacts).encode()))
            addresses, contacts = [], []
    columns = "org_id, email, phone, external_id, first_name, last_name, language, region, town, street, postcode, fields"
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        began = time.perf_counter()
        for address, contact in texts:
            with cursor.copy("copy address (org_id, kind, value) from stdin") as copy:
                copy.write(address)
            with cursor.copy(f"copy contact ({columns}) from stdin") as copy:
                copy.write(contact)
            connection.commit()
        return rows / (time.perf_counter() - began)


async def pieces(file: IO[bytes]) -> Any:
    while piece := file.read(spool.PIECE):
        yield piece


async def imported(url: str, org_id: int, path: Path, rows: int) -> tuple[float, float]:
    """(rows per second of the import, megabytes per second of the upload)."""
    async with Database(url, name="perigee worker") as db:
        async with db.transaction() as conn:
            import_id = await store.insert(conn, org_id, "contacts", path.name)
        began = time.perf_counter()
        with path.open("rb") as file:
            size = await spool.keep(db, org_id, import_id, pieces(file), most=1 << 32)
        taken_in = size / 1e6 / (time.perf_counter() - began)
        await start.recognise(db, org_id, import_id, kind_of("contacts"), size)
        await start.start(db, org_id, import_id, Plan(options={"unique": "email"}))
        began = time.perf_counter()
        await run_import(db, org_id, import_id)
        seconds = time.perf_counter() - began
        async with db.connection() as conn:
            done = await store.find(conn, org_id, import_id)
    assert done.status == "finished", done
    assert done.counts.created == rows, done
    return rows / seconds, taken_in


def work(url: str, org_id: int, path: Path, rows: int) -> None:
    """The worker's part, in a process of its own, so that its memory is its own."""
    garbage.calm()
    rate, taken_in = uvloop.run(imported(url, org_id, path, rows))
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([rate, taken_in, held]))


async def worked(url: str, org_id: int, path: Path, rows: int) -> list[float]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, __file__, "--work", url, str(org_id), str(path), str(rows)),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    found: list[float] = json.loads(out)
    return found


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=100_000)
    arguments.add_argument("--rounds", type=int, default=1)
    options = arguments.parse_args()
    rates: list[float] = []
    bounds: list[float] = []
    held = taken_in = 0.0
    with database() as url, tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        org_id, _ = organisation(url)
        with psycopg.connect(url) as connection:
            rows = connection.execute(
                "select field_id from field where org_id = %s and key in ('LEVEL', 'BONUS') order by key desc",
                [org_id],
            ).fetchall()
        fields = (str(rows[0][0]), str(rows[1][0]))
        path = Path(folder) / "people.csv"
        for turn in range(options.rounds):
            with path.open("wb") as file:
                write(file, options.rows, turn * options.rows)
            bounds.append(copied(url, org_id + 1000, options.rows, turn * options.rows, fields))
            rate, taken_in, peak = asyncio.run(worked(url, org_id, path, options.rows))
            rates.append(rate)
            held = max(held, peak)
        size = path.stat().st_size / 1e6
    print(
        f"{options.rows:,} rows, {size:.0f} MB; upload {taken_in:.0f} MB/s; the worker held {held:.0f} MB at most"
    )
    report(
        "import_csv",
        {"value": median(rates), "bound": median(bounds), "peak_mb": held, "rows": options.rows},
        bound="COPY of the same rows into the same tables",
        reach=0.4,
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]), int(sys.argv[5]))
    else:
        main()
