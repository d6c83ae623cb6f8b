"""Bulk contacts through the API, new ones and known ones (DESIGN 9, rows 1 and 2), held against COPY of the same rows.

    python bench/import_contacts.py [--calls 20] [--rounds 3] [--clients 2] [--workers 2]

A call is `POST v1/contacts` with 3,000 contacts of 11 values, two additional fields among them. The clock runs from
the first call until the last import is finished: HTTP, cleaning, the stored payload, the job and its transaction are
all in it. The bound is COPY of the same rows into the same tables with the same indexes, `address` and `contact`, one
transaction per 3,000, in the same database between the measured rounds. Web, worker and database share the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import procrastinate
import psycopg
import uvloop

from _harness import database, median, organisation, rate, report, request, serve_here, web
from perigee import jobs
from perigee.db.pool import Database
from perigee.lib import garbage, json_edge

PER_CALL = 3000
JOBS_AT_ONCE = 2
"""As in `perigee.worker`."""
FIRST = ("Anna", "Bo", "Ivan", "Olena", "Maria", "Taras", "Noor", "Li")
LAST = ("Koval", "Smith", "Shevchenko", "Nakamura", "Garcia")
COPIED = "org_id, external_id, email, phone, first_name, last_name, language, region, town, street, postcode, fields"


def contact(number: int, version: int, fields: tuple[int, int]) -> dict[str, Any]:
    """A person; another `version` has another first name and bonus."""
    return {
        "externalCustomerId": f"CRM-{number}",
        "firstName": FIRST[(number + version) % len(FIRST)],
        "lastName": LAST[number % len(LAST)],
        "channels": [
            {"type": "email", "value": f"customer{number}@example.com"},
            {"type": "sms", "value": f"38050{number:07d}"},
        ],
        "languageCode": "en",
        "address": {
            "region": "North",
            "town": f"Town {number % 500}",
            "address": f"{number % 999} Sample St",
            "postcode": f"{number % 99999:05}",
        },
        "fields": [{"id": fields[0], "value": "gold"}, {"id": fields[1], "value": number % 1000 + version}],
    }


def calls(numbers: list[int], version: int, fields: tuple[int, int]) -> list[list[dict[str, Any]]]:
    people = [contact(number, version, fields) for number in numbers]
    return [people[start : start + PER_CALL] for start in range(0, len(people), PER_CALL)]


def bulk(key: str, contacts: list[dict[str, Any]], fields: tuple[int, int]) -> bytes:
    body = {"contacts": contacts, "dedupeOn": "email", "customFieldsIDs": list(fields)}
    return request("POST", "/api/v1/contacts", key, json_edge.encode(body))


def imported(url: str, port: int, requests: list[bytes], clients: int) -> float:
    """Contacts per second, from the first call until all imports are finished."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("truncate contact_import cascade")
        started = time.perf_counter()
        rate(port, requests, clients=clients)
        while True:
            row = connection.execute(
                "select count(*) filter (where status = 'FINISHED'), count(*) filter (where status = 'ERROR'),"
                " sum(created + updated) from contact_import"
            ).fetchone()
            assert row is not None
            finished, failed, written = row
            assert not failed
            if finished == len(requests):
                assert written == len(requests) * PER_CALL
                return len(requests) * PER_CALL / (time.perf_counter() - started)
            time.sleep(0.01)


def copied(url: str, org_id: int, batches: list[list[dict[str, Any]]]) -> float:
    """Rows per second of COPY; the text of the rows is made before the clock starts."""
    texts = [(_address_text(org_id, batch), _contact_text(org_id, batch)) for batch in batches]
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        started = time.perf_counter()
        for addresses, contacts in texts:
            with cursor.copy("copy address (org_id, kind, value) from stdin") as copy:
                copy.write(addresses)
            with cursor.copy(f"copy contact ({COPIED}) from stdin") as copy:
                copy.write(contacts)
            connection.commit()
        return len(batches) * PER_CALL / (time.perf_counter() - started)


def _address_text(org_id: int, batch: list[dict[str, Any]]) -> bytes:
    emails = [f"{org_id}\temail\t{person['channels'][0]['value']}\n" for person in batch]
    phones = [f"{org_id}\tphone\t{person['channels'][1]['value']}\n" for person in batch]
    return "".join(emails + phones).encode()


def _contact_text(org_id: int, batch: list[dict[str, Any]]) -> bytes:
    rows = []
    for person in batch:
        address = person["address"]
        fields = {str(field["id"]): field["value"] for field in person["fields"]}
        values = [
            str(org_id),
            person["externalCustomerId"],
            person["channels"][0]["value"],
            person["channels"][1]["value"],
            person["firstName"],
            person["lastName"],
            person["languageCode"],
            address["region"],
            address["town"],
            address["address"],
            address["postcode"],
            json_edge.encode(fields).decode(),
        ]
        rows.append("\t".join(values) + "\n")
    return "".join(rows).encode()


@contextlib.contextmanager
def workers(url: str, count: int) -> Iterator[None]:
    processes = [
        subprocess.Popen(
            [sys.executable, __file__, "--work", url], env={**os.environ, "PYTHONUNBUFFERED": "1"}
        )
        for _ in range(count)
    ]
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait(30)


async def work(url: str) -> None:
    """The background jobs of a worker, as `perigee.worker` runs them, without its sender."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    garbage.calm()
    app = jobs.app.with_connector(procrastinate.PsycopgConnector(conninfo=url, min_size=1, max_size=4))
    async with Database(url, name="perigee worker") as db, app.open_async():
        running = asyncio.create_task(
            app.run_worker_async(
                concurrency=JOBS_AT_ONCE,
                install_signal_handlers=False,
                delete_jobs="successful",
                additional_context={"database": db},
            )
        )
        await stop.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def field_ids(url: str, org_id: int) -> tuple[int, int]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "select field_id from field where org_id = %s and key in ('LEVEL', 'BONUS') order by key desc",
            [org_id],
        ).fetchall()
    return rows[0][0], rows[1][0]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--calls", type=int, default=20)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--clients", type=int, default=2)
    arguments.add_argument("--workers", type=int, default=2)
    options = arguments.parse_args()
    people = options.calls * PER_CALL
    shuffled = random.Random(1)
    new: list[float] = []
    known: list[float] = []
    bounds: list[float] = []
    with database() as url:
        org_id, key = organisation(url)
        fields = field_ids(url, org_id)
        with web(__file__, url) as port, workers(url, options.workers):
            for turn in range(options.rounds + 1):  # the first warms everything up
                numbers = list(range(turn * people, (turn + 1) * people))
                shuffled.shuffle(numbers)
                fresh = [bulk(key, batch, fields) for batch in calls(numbers, 0, fields)]
                shuffled.shuffle(numbers)
                changed = [bulk(key, batch, fields) for batch in calls(numbers, 1, fields)]
                measured = (
                    copied(url, org_id + 1000, calls(numbers, 0, fields)),
                    imported(url, port, fresh, options.clients),
                    imported(url, port, changed, options.clients),
                )
                if turn:
                    for figures, value in zip((bounds, new, known), measured, strict=True):
                        figures.append(value)
    bound = "COPY of the same rows into the same tables"
    report("import_contacts_new", {"value": median(new), "bound": median(bounds)}, bound=bound, reach=0.5)
    report("import_contacts_known", {"value": median(known), "bound": median(bounds)}, bound=bound, reach=0.4)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve_here([])
    elif sys.argv[1:2] == ["--work"]:
        uvloop.run(work(sys.argv[2]))
    else:
        main()
