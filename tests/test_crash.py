"""kill -9 of workers, the web process and PostgreSQL in the middle of a 20,000-recipient campaign.

Nobody is missing, nobody is doubled, and at most one window of each killed sending process is uncertain. What the
API acknowledged meanwhile is there afterwards. The receiver is a recording SMTP server in a process of its own, which writes every message down before it answers; the
database is durable (fsync and synchronous_commit on). A failure prints the seed and what was killed when;
PERIGEE_TEST_CRASH_SEED=… repeats it.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from perigee.db.embedded import EmbeddedServer
from perigee.db.pool import Database
from perigee.delivery.providers import add_provider
from perigee.keys import Keys
from perigee.testing.installation import Up, up
from perigee.testing.smtp_server import read_record

RECIPIENTS = 20_000
SEED = int(os.environ.get("PERIGEE_TEST_CRASH_SEED", 20_261_124))
WINDOW = 64


@contextmanager
def recording_server(record: Path) -> Iterator[int]:
    """Port of an SMTP server whose answers to a message take a moment, so that a kill finds some on the way."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "perigee.testing.smtp_server", "--port", "0", "--record", str(record)),
            *("--seed", str(SEED), "--fault", "dot:slow:0.2"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline().split()[-1])
    finally:
        process.terminate()
        process.communicate(timeout=20)


class Story:
    def __init__(self, perigee: Up, url: str) -> None:
        self.perigee = perigee
        self.url = url
        found = re.search(r"pgk_[0-9A-Za-z]+", perigee.shown)
        assert found, perigee.shown
        self.key = found[0]
        self.killed: list[tuple[float, str]] = []

    def call(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.perigee.port}{path}",
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

    def rows(self, query: str, *values: Any) -> list[Any]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def until(self, what: str, true: Callable[[], bool], seconds: float = 90) -> None:
        """Waits; whatever dies meanwhile may be away for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with suppress(psycopg.OperationalError, OSError):
                if true():
                    return
            time.sleep(0.05)
        pytest.fail(f"{what} did not happen; seed {SEED}, killed {self.killed}\n{self.perigee.log()[-4000:]}")

    def kill(self, name: str, pid: int | None) -> bool:
        if pid is None:
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.killed.append((time.monotonic(), name))
            return True
        return False


def prepare(story: Story, port: int) -> int:
    """People, a list, a message, the SMTP provider; launches the campaign and returns its id."""
    secret = (story.perigee.home / "secret_key").read_text().strip()
    ((org_id,),) = story.rows("select org_id from organisation")

    async def provide() -> None:
        async with Database(story.url) as db, db.transaction() as conn:
            await add_provider(
                conn,
                org_id,
                Keys.of(secret).sealing,
                channel="email",
                kind="smtp",
                name="Recorder",
                settings={"host": "127.0.0.1", "port": port, "security": "none"},
            )

    import asyncio

    asyncio.run(provide())
    with psycopg.connect(story.url) as connection:
        connection.execute(
            """with people as (
                   insert into contact (org_id, email, first_name)
                   select %(org)s, 'person' || n || '@example.com', 'Anna' from generate_series(1, %(n)s) n
                   returning contact_id, email
               ), addresses as (
                   insert into address (org_id, kind, value, unsubscribed_at)
                   select %(org)s, 'email', email, case when contact_id %% 100 = 0 then now() end from people
               ), list as (
                   insert into segment (org_id, name, kind) values (%(org)s, 'Everybody', 'static') returning segment_id
               )
               insert into segment_member (org_id, segment_id, contact_id)
               select %(org)s, segment_id, contact_id from people, list""",
            {"org": org_id, "n": RECIPIENTS},
        )
        connection.execute("analyze")  # as everything that writes in bulk does
    content = {
        "from": '"Shop" <news@example.com>',
        "subject": "Hello %FIRSTNAME|friend%",
        "htmlText": '<p>News</p><a href="https://esputnik.com/unsubscribe">Unsubscribe</a>',
    }
    message = story.call("POST", "/api/v4/messages", {"channel": "email", "name": "News", "content": content})
    ((segment_id,),) = story.rows("select segment_id from segment where name = 'Everybody'")
    made = story.call(
        "POST", "/api/v4/campaigns", {"message_id": message["message_id"], "include": [segment_id]}
    )
    story.call("POST", f"/api/v4/campaigns/{made['campaign_id']}/launch", {})
    return int(made["campaign_id"])


class Writer(threading.Thread):
    """Saves one contact after the other through the API, and remembers which were acknowledged."""

    def __init__(self, story: Story) -> None:
        super().__init__()
        self.story = story
        self.stop = threading.Event()
        self.statuses: Counter[int | None] = Counter()
        self.acknowledged: list[str] = []

    def run(self) -> None:
        for number in itertools.count():
            if self.stop.is_set():
                return
            address = f"writer-{number}@example.org"
            contact = {"channels": [{"type": "email", "value": address}]}
            status = self.story.status("POST", "/api/v1/contact", contact)
            self.statuses[status] += 1
            if status == 200:
                self.acknowledged.append(address)
            else:
                time.sleep(0.02)


@contextmanager
def writing(story: Story) -> Iterator[Writer]:
    writer = Writer(story)
    writer.start()
    try:
        yield writer
    finally:
        writer.stop.set()
        writer.join()


def kill_again_and_again(story: Story, server: EmbeddedServer, progress: Callable[[], int]) -> None:
    """At eight moments spread over the campaign, one of its processes dies."""
    chance = random.Random(SEED)
    victims = ["worker", "worker", "postgres", "web", "worker", "postgres", "worker", "web"]
    for number, victim in enumerate(victims):
        goal = RECIPIENTS * (number + 1) // (len(victims) + 2) + chance.randrange(500)
        story.until(f"{goal} messages", lambda goal=goal: progress() >= goal)  # type: ignore[misc]
        if victim == "postgres":
            story.kill(victim, server.pid)
        else:
            name = {"web": "serve", "worker": "worker"}[victim]
            story.until(f"a {victim} to kill", lambda name=name: story.perigee.part(name) is not None)  # type: ignore[misc]
            story.kill(victim, story.perigee.part(name))


@pytest.mark.timeout(240)
def test_nobody_is_missing_and_nobody_doubled(server_home: Path, tmp_path: Path) -> None:
    record = tmp_path / "record"
    with (
        recording_server(record) as port,
        up(server_home, PERIGEE_LEASE_SECONDS="5", PERIGEE_WORKERS="2", PERIGEE_RATE_CALLS="0") as perigee,
    ):
        perigee.until_ready()
        server = EmbeddedServer(server_home)
        story = Story(perigee, server.url())
        campaign_id = prepare(story, port)
        with writing(story) as writer:
            kill_again_and_again(story, server, lambda: record.read_bytes().count(b"\n"))
            story.until("the web process", lambda: perigee.get("/health") == 200)
            before = len(writer.acknowledged)
            story.until("another acknowledged write", lambda: len(writer.acknowledged) > before)
        story.until(
            "the end of the campaign",
            lambda: (
                story.rows("select state from campaign where campaign_id = %s", campaign_id)[0][0]
                == "finished"
            ),
        )
        check_books(story, campaign_id, record)
        check_writes(story, writer)
        check_jobs(story)
        check_log(perigee.log())


def check_books(story: Story, campaign_id: int, record: Path) -> None:
    told = f"seed {SEED}, killed {[name for _, name in story.killed]}"
    ledger = story.rows(
        """select d.ordinal, coalesce(d.address, c.email), d.outcome, d.reason from delivery d
           join send s on s.org_id = d.org_id and s.send_id = d.send_id
           join contact c on c.org_id = d.org_id and c.contact_id = d.contact_id where s.campaign_id = %s""",
        campaign_id,
    )
    outcomes = Counter(row[2] for row in ledger)
    print(told, dict(outcomes))
    # Everybody who was chosen has exactly one line.
    assert len(ledger) == len({row[1] for row in ledger}) == RECIPIENTS, told
    assert Counter(row[3] for row in ledger if row[2] == "dropped") == {"unsubscribed": RECIPIENTS // 100}, (
        told
    )
    assert outcomes["failed"] == 0, told

    messages = read_record(record)
    assert len({message.message_id for message in messages}) == len(messages), told
    accepted = Counter(message.recipient for message in messages)
    doubled = [address for address, copies in accepted.items() if copies > 1]
    assert not doubled, f"{told}: {doubled[:5]}"
    by_address = {row[1]: row[2] for row in ledger}
    missing = [a for a, outcome in by_address.items() if outcome == "sent" and a not in accepted]
    assert not missing, f"{told}: said to be sent, never received: {missing[:5]}"
    hidden = [a for a in accepted if by_address[a] not in ("sent", "uncertain")]
    assert not hidden, f"{told}: received, but not said so: {hidden[:5]}"
    sending_deaths = sum(1 for _, name in story.killed if name == "worker") + 2 * sum(
        1 for _, name in story.killed if name == "postgres"
    )
    assert outcomes["uncertain"] <= WINDOW * sending_deaths, told

    report = story.call("GET", f"/api/v4/campaigns/{campaign_id}/report")
    assert report["chosen"] == RECIPIENTS
    assert report["waiting"] == 0
    assert report["sent"] + report["uncertain"] + sum(report["dropped"].values()) == RECIPIENTS


def check_writes(story: Story, writer: Writer) -> None:
    told = f"seed {SEED}, killed {[name for _, name in story.killed]}, {dict(writer.statuses)}"
    print(told)
    kept = {row[0] for row in story.rows("select email from contact where email like 'writer-%%'")}
    lost = [address for address in writer.acknowledged if address not in kept]
    assert not lost, f"{told}: acknowledged and lost: {lost[:5]}"
    # An outage is ours and temporary: no client may take it for a mistake of its own.
    assert set(writer.statuses) <= {200, 503, None}, told


def check_jobs(story: Story) -> None:
    """The job runners of the workers found the database again."""
    contacts = [{"channels": [{"type": "email", "value": "late@example.org"}]}]
    job = story.call("POST", "/api/v1/contacts", {"contacts": contacts, "dedupeOn": "email"})
    path = f"/api/v1/importstatus/{job['asyncSessionId']}"
    story.until("an import", lambda: story.call("GET", path)["status"] == "FINISHED")


def check_log(log: str) -> None:
    """Whatever died, every line of every part stays readable to machines."""
    for line in log.splitlines():
        assert json.loads(line)["level"], line
