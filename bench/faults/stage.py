"""Where a fault run plays: an installation in processes of its own, a recording mail server, people and a campaign."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg

from perigee.accounts.bootstrap import create_organisation
from perigee.db.embedded import EmbeddedServer
from perigee.db.pool import Database
from perigee.delivery.providers import add_provider
from perigee.keys import Keys
from perigee.messages.manage import create as create_message
from perigee.testing.installation import Up, up
from perigee.testing.smtp_server import Accepted, read_record

WORKERS = 3
WINDOW = 64
"""Messages that one process may have in intent: the most that its death may leave uncertain."""
LEASE_SECONDS = 5
SMTP_SECONDS = 2
PATIENCE = 150.0
INJECT = Path(__file__).parent / "inject"
CONTENT = {
    "name": "News",
    "from": '"Shop" <news@example.com>',
    "subject": "Hello %FIRSTNAME|friend%",
    "htmlText": '<p>News</p><a href="https://shop.example.com/a">Look</a>'
    '<a href="https://esputnik.com/unsubscribe">Unsubscribe</a>',
}


class Violation(AssertionError):
    """A promise was broken, or something that must happen did not."""


class Recorder:
    """The mail server: what it accepted is on file before it answers."""

    def __init__(self, process: subprocess.Popen[str], port: int, record: Path) -> None:
        self.process = process
        self.port = port
        self.record = record
        self._seen = self._count = 0

    @property
    def count(self) -> int:
        """Messages accepted so far."""
        with self.record.open("rb") as file:
            file.seek(self._seen)
            more = file.read()
        self._seen += len(more)
        self._count += more.count(b"\n")
        return self._count

    def messages(self) -> list[Accepted]:
        return read_record(self.record)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """The process stands still: its sessions hang, and soon new connections do too."""
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)


@contextmanager
def recorder(record: Path, seed: int, arguments: Sequence[str]) -> Iterator[Recorder]:
    """`arguments` are those of `perigee.testing.smtp_server`."""
    record.touch()
    command = [sys.executable, "-m", "perigee.testing.smtp_server", "--port", "0", "--record", str(record)]
    process = subprocess.Popen(
        [*command, "--seed", str(seed), *arguments], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None
        yield Recorder(process, int(process.stdout.readline().split()[-1]), record)
    finally:
        process.terminate()
        process.communicate(timeout=20)


class Installation:
    """`perigee up` with its children, and the embedded PostgreSQL under it."""

    def __init__(self, perigee: Up, clock: Path) -> None:
        self.perigee = perigee
        self.server = EmbeddedServer(perigee.home)
        self.url = self.server.url()
        self.keys = Keys.of((perigee.home / "secret_key").read_text().strip())
        self._clock = clock

    def rows(self, query: str, **values: Any) -> list[Any]:
        with psycopg.connect(self.url) as connection:
            cursor = connection.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def parts(self, name: str) -> list[int]:
        """Process ids of the children that run `perigee NAME` (`serve`, `worker`) now."""
        found = []
        for child in psutil.Process(self.perigee.process.pid).children():
            with suppress(psutil.NoSuchProcess):  # died while we look
                if name in child.cmdline()[3:4]:
                    found.append(child.pid)
        return sorted(found)

    def set_clock(self, seconds: float) -> None:
        """Makes the wall clock of every worker wrong by so much."""
        with self._clock.open("r+b") as file:
            file.write(struct.pack("d", seconds))

    def until(self, what: str, true: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Waits; whatever dies meanwhile may be away for a while. Raises Violation when it does not come true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with suppress(psycopg.OperationalError, OSError, http.client.HTTPException):
                if true():
                    return
            time.sleep(0.03)
        raise Violation(f"{what}: did not happen in {seconds:.0f} s\n{self.perigee.log()[-3000:]}")


@contextmanager
def installation(home: Path) -> Iterator[Installation]:
    """Starts everything in an empty folder that the database's system user may enter."""
    clock = home / "clock"
    clock.write_bytes(struct.pack("d", 0.0))
    path = os.pathsep.join(p for p in (str(INJECT), os.environ.get("PYTHONPATH", "")) if p)
    settings = {
        "PERIGEE_LEASE_SECONDS": str(LEASE_SECONDS),
        "PERIGEE_WORKERS": str(WORKERS),
        "PERIGEE_RATE_CALLS": "0",
        "PERIGEE_TEST_CLOCK": str(clock),
        "PERIGEE_TEST_SMTP_SECONDS": str(SMTP_SECONDS),
        "PYTHONPATH": path,
    }
    with up(home, **settings) as perigee:
        perigee.until_ready()
        yield Installation(perigee, clock)


class Shop:
    """An organisation of its own with so many people, whose mail goes to the recorder."""

    def __init__(self, place: Installation, mail: Recorder, recipients: int) -> None:
        self.place = place
        self.recipients = recipients
        self.org_id, self.key, self.message_id = asyncio.run(self._make(mail.port))
        self.segment_id = self._people()
        self.campaign_id = 0

    async def _make(self, port: int) -> tuple[int, str, int]:
        async with Database(self.place.url) as db, db.transaction() as conn:
            org_id, key = await create_organisation(
                conn, self.place.keys, name="Shop", owner=f"owner-{port}-{time.time_ns()}@example.com"
            )
            await add_provider(
                conn,
                org_id,
                self.place.keys.sealing,
                channel="email",
                kind="smtp",
                name="Recorder",
                settings={"host": "127.0.0.1", "port": port, "security": "none"},
            )
            message_id = await create_message(conn, org_id, "email", dict(CONTENT), default_language="en")
        return org_id, key, message_id

    def _people(self) -> int:
        """`person1@example.com` and so on, one in a hundred unsubscribed."""
        with psycopg.connect(self.place.url) as connection:
            row = connection.execute(
                """with people as (
                       insert into contact (org_id, email, first_name)
                       select %(org)s, 'person' || n || '@example.com', 'Anna' from generate_series(1, %(n)s) n
                       returning contact_id, email
                   ), addresses as (
                       insert into address (org_id, kind, value, unsubscribed_at)
                       select %(org)s, 'email', email, case when contact_id %% 100 = 0 then now() end from people
                   ), list as (
                       insert into segment (org_id, name, kind) values (%(org)s, 'Everybody', 'static') returning segment_id
                   ), members as (
                       insert into segment_member (org_id, segment_id, contact_id)
                       select %(org)s, segment_id, contact_id from people, list
                   )
                   select segment_id from list""",
                {"org": self.org_id, "n": self.recipients},
            ).fetchone()
            assert row is not None
            connection.execute("analyze")  # as everything that writes in bulk does
        return int(row[0])

    def launch(self) -> None:
        wanted = {"message_id": self.message_id, "include": [self.segment_id]}
        self.campaign_id = int(self.call("POST", "/api/v4/campaigns", wanted)["campaign_id"])
        self.act("launch")

    def act(self, action: str) -> None:
        """`launch`, `pause`, `resume`, `stop`, by the API."""
        self.call("POST", f"/api/v4/campaigns/{self.campaign_id}/{action}", {})

    def rows(self, query: str, **values: Any) -> list[Any]:
        return self.place.rows(query, org=self.org_id, campaign=self.campaign_id, **values)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.place.perigee.port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": "Basic " + b64encode(f"any:{self.key}".encode()).decode(),
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def status(self, method: str, path: str, body: Any) -> int | None:
        """None when the answer never came."""
        try:
            self.call(method, path, body)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        except (OSError, http.client.HTTPException):
            return None
        return 200

    def hurry(self) -> None:
        """Whoever waits for another try is due now: the minutes between tries are not waited out."""
        self.rows("update send_retry set due_at = now() where org_id = %(org)s")
