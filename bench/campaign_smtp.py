"""Row 5 of the speed table: an email campaign into an SMTP sink, tracking and merge fields on, no DKIM.

    python bench/campaign_smtp.py [--recipients 40000] [--workers 2] [--rounds 3] [--profile]

The value is recipients per second from the launch (audience frozen, ledger written) until the send is finished, by
worker processes as `perigee up` starts them. The bound is `smtp-source` sending messages of the same size to the same
sink over kept connections, in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import cProfile
import os
import pstats
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop

from _harness import SECRET, SETTINGS, database, median, organisation, report
from perigee import worker
from perigee.campaigns import manage
from perigee.campaigns.types import CampaignCreate
from perigee.db.pool import Connection, Database
from perigee.delivery.providers import add_provider
from perigee.delivery.rendering import Content, compile_content, renderers
from perigee.keys import Keys
from perigee.lib.garbage import calm
from perigee.messages.manage import create
from perigee.messages.person import Person
from smtp_sink import find_sink, measure_source, running_sink

LINKS = "".join(
    f'<tr><td><a href="https://shop.example.com/p/{n}?ref=mail">Product {n}</a> now for less</td></tr>'
    for n in range(10)
)
HTML = f"""<html><head><title>News</title><style>td {{ padding: 4px }}</style></head><body>
<p>Hello %FIRSTNAME|friend%, %LASTNAME|%!</p><p>Your town: %TOWN|your town%. Your number: %EXTERNAL_CUSTOMER_ID%.</p>
<table>{LINKS}</table><p>{"Some words that are the same for everybody. " * 40}</p>
<p>Sent to %EMAIL%. <a href="https://esputnik.com/unsubscribe">Unsubscribe</a></p></body></html>"""
MESSAGE = {
    "name": "Bench",
    "from": '"Example Shop" <news@example.com>',
    "subject": "%FIRSTNAME|friend%, this week",
    "htmlText": HTML,
}


async def prepare(
    url: str, org_id: int, recipients: int, port: int, keys: Keys | None = None
) -> tuple[int, int]:
    """People, a list of them, a message and the provider. Returns (segment_id, message_id)."""
    async with Database(url) as db, db.transaction() as conn:
        await conn.execute(
            """with people as (
                   insert into contact (org_id, external_id, email, first_name, last_name, town)
                   select %(org)s, 'C-' || n, 'person' || n || '@example.com', 'Anna' || n %% 97, 'Koval', 'Lviv'
                   from generate_series(1, %(count)s) n returning contact_id, email
               ), addresses as (
                   insert into address (org_id, kind, value) select %(org)s, 'email', email from people
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
            (keys or Keys.of(SECRET)).sealing,
            channel="email",
            kind="smtp",
            name="Sink",
            settings={"host": "127.0.0.1", "port": port, "security": "none"},
        )
        message_id = await create(conn, org_id, "email", dict(MESSAGE), default_language="en")
    async with Database(url) as db, db.connection() as conn:
        await conn.execute("analyze")
    return int(row[0]), message_id


def rendered(org_id: int) -> bytes:
    """One message."""
    keys = Keys.of(SECRET)
    content = Content(default="en", versions={"en": {k: v for k, v in MESSAGE.items() if k != "name"}})
    url = SETTINGS.public_url
    compiled = compile_content("email", content, public_url=url, org_id=org_id, campaign_id=1, marketing=True)
    made = renderers(compiled, content, keys=keys, public_url=url, org_id=org_id, send_id=4702001)
    person = Person(100_500, "person500@example.com", None, "Anna5", "Koval", "C-500")
    return made["en"].render(person, "person500@example.com", 500).payload


async def campaign(url: str, org_id: int, segment_id: int, message_id: int) -> float:
    """Launches one campaign and waits for its end; recipients per second."""
    async with Database(url) as db:
        async with db.transaction() as conn:
            made = await manage.create(
                conn, org_id, CampaignCreate(message_id=message_id, include=[segment_id])
            )
            started = time.perf_counter()
            await manage.launch(conn, org_id, made.campaign_id, at=None, now=datetime.now(UTC))
        async with db.connection() as conn:
            while not (found := await _finished(conn, org_id, made.campaign_id)):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    chosen, sent = found
    if sent != chosen:
        raise SystemExit(f"{chosen} were chosen and {sent} sent")
    return chosen / (time.perf_counter() - started)


async def _finished(conn: Connection, org_id: int, campaign_id: int) -> tuple[int, int] | None:
    cursor = await conn.execute(
        """select s.chosen, (select sum(b.sent)::int from send_batch b
                             where b.org_id = s.org_id and b.send_id = s.send_id)
           from send s where s.org_id = %s and s.campaign_id = %s and s.state = 'finished'""",
        [org_id, campaign_id],
    )
    return await cursor.fetchone()


@contextlib.contextmanager
def workers(url: str, count: int, profile: bool, script: str = __file__) -> Iterator[None]:
    """`script`: the benchmark that works when it is started with `--work`."""
    command = [sys.executable, str(Path(script).resolve()), "--work", url]
    running = [
        subprocess.Popen([*command, *(["--profile"] if profile and n == 0 else [])]) for n in range(count)
    ]
    try:
        yield
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            process.wait(60)


async def work(url: str, **settings: Any) -> None:
    calm()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await worker.run(replace(SETTINGS, **settings), url, stop=stop)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--recipients", type=int, default=40_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="print where the first worker's time goes")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        profiler = cProfile.Profile() if options.profile else None
        if profiler:
            profiler.enable()
        uvloop.run(work(options.work))
        if profiler:
            profiler.disable()
            pstats.Stats(profiler, stream=sys.stderr).sort_stats("tottime").print_stats(35)
        return
    with database() as url, running_sink() as (_, port):
        org_id, _ = organisation(url)
        segment_id, message_id = asyncio.run(prepare(url, org_id, options.recipients, port))
        size = len(rendered(org_id))
        values, bounds = [], []
        with workers(url, options.workers, options.profile):
            for _ in range(options.rounds):
                values.append(asyncio.run(campaign(url, org_id, segment_id, message_id)))
                time.sleep(0.5)
                source, bound = measure_source(port, messages=options.recipients, size=size)
                bounds.append(bound)
        report(
            "campaign_smtp",
            {
                "value": median(values),
                "bound": median(bounds),
                "recipients": options.recipients,
                "bytes": size,
            },
            bound=f"{source}, the same size to the same {find_sink().name}",
            reach=0.5,
        )


if __name__ == "__main__":
    main()
