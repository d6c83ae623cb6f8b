"""SMS over SMPP: a campaign into the SMSC of `smpp34`, against the client of the same library.

    python bench/campaign_smpp.py [--recipients 20000] [--workers 2] [--rounds 3]

The value is recipients per second from the launch until the send is finished, one part each, without receipts; a round
before the others, in which the workers start, does not count. The bound is the bare `smpp34.Client` submitting texts of
the same size to the same simulator, with as many sessions and as large a window, in the same run. The simulator is a
process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import smpp34

from _harness import SECRET, database, median, organisation, report
from campaign_smtp import campaign, workers
from perigee.db.pool import Database
from perigee.delivery.providers import add_provider
from perigee.keys import Keys
from perigee.messages.manage import create
from perigee.testing.ports import free_port

TEXT = "Hello %FIRSTNAME|friend%, this week everything is cheaper. Come and see."
WINDOW = 100


async def prepare(url: str, org_id: int, recipients: int, port: int) -> tuple[int, int]:
    """People, a list of them, a message and the provider. Returns (segment_id, message_id)."""
    async with Database(url) as db, db.transaction() as conn:
        await conn.execute(
            """with people as (
                   insert into contact (org_id, phone, first_name)
                   select %(org)s, (380500000000 + n)::text, 'Anna' || n %% 97
                   from generate_series(1, %(count)s) n returning contact_id, phone
               ), addresses as (
                   insert into address (org_id, kind, value) select %(org)s, 'phone', phone from people
               ), list as (
                   insert into segment (org_id, name, kind) values (%(org)s, 'Everybody', 'static') returning segment_id
               )
               insert into segment_member (org_id, segment_id, contact_id)
               select %(org)s, segment_id, contact_id from people, list""",
            {"org": org_id, "count": recipients},
        )
        row = await (
            await conn.execute("select segment_id from segment where org_id = %s", [org_id])
        ).fetchone()
        assert row is not None
        await add_provider(
            conn,
            org_id,
            Keys.of(SECRET).sealing,
            channel="sms",
            kind="smpp",
            name="Simulator",
            settings={
                "host": "127.0.0.1",
                "port": port,
                "system_id": "bench",
                "window": WINDOW,
                "receipts": False,
            },
        )
        message_id = await create(
            conn, org_id, "sms", {"name": "Bench", "from": "Shop", "text": TEXT}, default_language="en"
        )
    async with Database(url) as db, db.connection() as conn:
        await conn.execute("analyze")
    return int(row[0]), message_id


async def simulate(port: int) -> None:
    server = smpp34.Server("127.0.0.1", port, system_id="SMSC")
    await server.start()
    number = 0
    while True:
        event = await server.next()
        if isinstance(event, smpp34.SubmitSmEvent):
            number += 1
            event.accept(str(number))


async def bare(port: int, messages: int, sessions: int) -> float:
    """Messages per second of the library alone."""
    clients = [
        smpp34.Client("127.0.0.1", port, "bench", "", bind_type="TRX", window_size=WINDOW)
        for _ in range(sessions)
    ]
    bound = [await client.connect() for client in clients]
    text = TEXT.encode()

    async def submit(smsc: smpp34.Smsc, first: int) -> None:
        for number in range(first, messages, sessions * WINDOW):
            answer = await smsc.submit_sm(
                str(380500000000 + number), text, source_addr="Shop", source_addr_ton=5
            )
            assert answer.is_success

    started = time.perf_counter()
    await asyncio.gather(*[submit(bound[n % sessions], n) for n in range(sessions * WINDOW)])
    passed = time.perf_counter() - started
    for client in clients:
        await client.stop()
    return messages / passed


@contextlib.contextmanager
def simulator() -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen([sys.executable, str(Path(__file__).resolve()), "--simulate", str(port)])
    try:
        time.sleep(2)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--recipients", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--simulate", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.simulate:
        asyncio.run(simulate(options.simulate))
        return
    with database() as url, simulator() as port:
        org_id, _ = organisation(url)
        segment_id, message_id = asyncio.run(prepare(url, org_id, options.recipients, port))
        values, bounds = [], []
        with workers(url, options.workers, profile=False):
            asyncio.run(campaign(url, org_id, segment_id, message_id))
            for _ in range(options.rounds):
                values.append(asyncio.run(campaign(url, org_id, segment_id, message_id)))
                time.sleep(0.5)
                bounds.append(asyncio.run(bare(port, options.recipients, options.workers)))
        report(
            "campaign_smpp",
            {"value": median(values), "bound": median(bounds), "recipients": options.recipients},
            bound="smpp34.Client, as many sessions and as large a window, to the same simulator",
            reach=0.5,
        )


if __name__ == "__main__":
    main()
