"""Web push: a campaign to browsers, against bare encryption and HTTP posts.

    python bench/webpush.py [--recipients 20000] [--workers 2] [--rounds 3]

The value is recipients per second from the launch until the send is finished: a merge field, three tracked links, a
picture, each message encrypted for its browser (RFC 8291) and signed for its site (RFC 8292). The bound encrypts texts of
the same size for the same browser and posts them with `aiohttp`, in as many processes as there are workers, as many posts
at once, with one signature for all, and knows neither people nor a ledger; in the same run, to the same endpoint. The
endpoint is a process of its own that answers 201. No TLS: neither side of the comparison has its cost.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import aiohttp
import uvloop
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from _harness import SECRET, SETTINGS, database, median, organisation, report
from campaign_smtp import campaign, work, workers
from perigee.db.pool import Database
from perigee.delivery.channels.webpush import notification
from perigee.delivery.channels.webpush.encryption import encrypt
from perigee.delivery.channels.webpush.signing import Signer
from perigee.delivery.rendering import Content, compile_content, renderers
from perigee.keys import Keys
from perigee.messages.manage import create
from perigee.messages.person import Person
from perigee.push.vapid import make_pair, sealed

SITE = "https://shop.example.com"
LOCAL = {"outside_networks": "127.0.0.0/8", "outside_ports": "any"}
MESSAGE = {
    "name": "Bench",
    "title": "%FIRSTNAME|friend%, this week",
    "text": "Everything is cheaper. Come and see what we have kept for you.",
    "link": "https://shop.example.com/sale?ref=push",
    "imageSource": "https://shop.example.com/sale.png",
    "buttons": [
        {"label": "Buy", "link": "https://shop.example.com/cart"},
        {"label": "Later", "link": "https://shop.example.com/later"},
    ],
}
AUTH = b"a secret of bench"[:16]
BROWSER = (
    ec.generate_private_key(ec.SECP256R1())
    .public_key()
    .public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
)


async def prepare(url: str, org_id: int, recipients: int, port: int) -> tuple[int, int]:
    """People with a browser each, a list of them, a site with its keys and a message. Returns (segment_id, message_id)."""
    pair = make_pair()
    async with Database(url) as db, db.transaction() as conn:
        row = await (
            await conn.execute(
                """insert into webpush_domain (org_id, domain, service_worker_name, service_worker_path,
                       service_worker_scope, vapid_public) values (%s, %s, 'sw.js', '/', '/', %s) returning app_id""",
                [org_id, SITE, pair.public],
            )
        ).fetchone()
        assert row is not None
        await conn.execute(
            "update webpush_domain set vapid_private = %s where org_id = %s",
            [sealed(Keys.of(SECRET).sealing, org_id, row[0], pair.private), org_id],
        )
        await conn.execute(
            """with people as (
                   insert into contact (org_id, first_name) select %(org)s, 'Anna' || n %% 97
                   from generate_series(1, %(count)s) n returning contact_id
               ), tokens as (
                   insert into push_token (org_id, kind, app_id, token, contact_id)
                   select %(org)s, 'webpush', %(app)s::text, 'token-' || contact_id, contact_id from people
                   returning token_id, token
               ), browsers as (
                   insert into webpush_subscription (org_id, token_id, app_id, endpoint, p256dh, auth)
                   select %(org)s, token_id, %(app)s, %(endpoint)s || token, %(p256dh)s, %(auth)s from tokens
               ), list as (
                   insert into segment (org_id, name, kind) values (%(org)s, 'Everybody', 'static') returning segment_id
               )
               insert into segment_member (org_id, segment_id, contact_id)
               select %(org)s, segment_id, contact_id from people, list""",
            {
                "org": org_id,
                "count": recipients,
                "app": row[0],
                "endpoint": f"http://127.0.0.1:{port}/push/",
                "p256dh": BROWSER,
                "auth": AUTH,
            },
        )
        found = await (
            await conn.execute("select segment_id from segment where org_id = %s", [org_id])
        ).fetchone()
        assert found is not None
        message_id = await create(conn, org_id, "webpush", dict(MESSAGE), default_language="en")
    async with Database(url) as db, db.connection() as conn:
        await conn.execute("analyze")
    return int(found[0]), message_id


def plain_text(org_id: int) -> bytes:
    """One message as the browser reads it."""
    keys, url = Keys.of(SECRET), SETTINGS.public_url
    content = Content(default="en", versions={"en": {k: v for k, v in MESSAGE.items() if k != "name"}})
    compiled = compile_content(
        "webpush", content, public_url=url, org_id=org_id, campaign_id=1, marketing=True
    )
    made = renderers(compiled, content, keys=keys, public_url=url, org_id=org_id, send_id=4702001)
    person = Person(100_500, None, None, "Anna5", None, None)
    rendered = made["en"].render(person, "token-500", 500)
    return notification.read(rendered.payload, rendered.iid).body


class Endpoint(asyncio.Protocol):
    """A push service: 201 for each request that has come whole."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            head, end, body = self._buffer.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            if not end or len(body) < length:
                return
            self._buffer = body[length:]
            self._transport.write(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")


async def serve(fd: int) -> None:
    server = await asyncio.get_running_loop().create_server(Endpoint, sock=socket.socket(fileno=fd))
    await server.serve_forever()


@contextlib.contextmanager
def endpoint() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        port = listener.getsockname()[1]
        command = [sys.executable, str(Path(__file__).resolve()), "--serve", str(listener.fileno())]
        process = subprocess.Popen(command, pass_fds=[listener.fileno()])
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)


async def _post_all(port: int, text: bytes, messages: int) -> None:
    pair = make_pair()
    headers = {
        "Authorization": Signer(pair.private, pair.public, SITE).authorization(f"http://127.0.0.1:{port}"),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": "86400",
        "Urgency": "normal",
        "Topic": "x" * 22,
    }
    connections = SETTINGS.web_push_connections
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=connections)) as session:

        async def post(first: int) -> None:
            for number in range(first, messages, connections):
                body = encrypt(text, BROWSER, AUTH)
                url = f"http://127.0.0.1:{port}/push/token-{number}"
                async with session.post(url, data=body, headers=headers) as answer:
                    assert answer.status == 201
                    await answer.read()

        await asyncio.gather(*[post(first) for first in range(connections)])


def _bare_process(port: int, text: bytes, messages: int, ready: Any, go: Any) -> None:
    ready.release()
    go.wait()
    uvloop.run(_post_all(port, text, messages))


def bare(port: int, text: bytes, messages: int, processes: int) -> float:
    """Messages per second of all processes; their start is not counted."""
    spawn = multiprocessing.get_context("spawn")
    ready, go = spawn.Semaphore(0), spawn.Event()
    share = messages // processes
    running = [
        spawn.Process(target=_bare_process, args=(port, text, share, ready, go)) for _ in range(processes)
    ]
    for process in running:
        process.start()
    for _ in running:
        ready.acquire()
    started = time.perf_counter()
    go.set()
    for process in running:
        process.join()
    passed = time.perf_counter() - started
    if any(process.exitcode for process in running):
        raise SystemExit("a post failed")
    return share * processes / passed


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--recipients", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        uvloop.run(serve(options.serve))
        return
    if options.work:
        uvloop.run(work(options.work, **LOCAL))
        return
    with database() as url, endpoint() as port:
        org_id, _ = organisation(url)
        segment_id, message_id = asyncio.run(prepare(url, org_id, options.recipients, port))
        text = plain_text(org_id)
        values, bounds = [], []
        with workers(url, options.workers, profile=False, script=__file__):
            asyncio.run(campaign(url, org_id, segment_id, message_id))  # while the workers start: not counted
            for _ in range(options.rounds):
                values.append(asyncio.run(campaign(url, org_id, segment_id, message_id)))
                time.sleep(0.5)
                bounds.append(bare(port, text, options.recipients, options.workers))
                print(f"  {values[-1]:,.0f}/s, bound {bounds[-1]:,.0f}/s", flush=True)
        report(
            "webpush",
            {
                "value": median(values),
                "bound": median(bounds),
                "recipients": options.recipients,
                "bytes": len(text),
            },
            bound="encryption and aiohttp alone, as many processes and posts at once, to the same endpoint",
            reach=0.5,
        )


if __name__ == "__main__":
    main()
