"""A single message beside a running campaign: from the call until it is at the mail server.

    python bench/transactional_latency.py [--recipients 40000] [--calls 60] [--workers 2] [--pause 0.1]

Both go through the same provider. Counted from the moment the client begins its `POST v1/message/{id}/smartsend` (one
recipient) until the server has the message's final dot; the sink writes down the moments of the addresses it is told to
watch, by the clock that all processes of a machine share. Calls are made one after another, only while the campaign
runs; another one is launched when it ends before them. Reach: 95 of 100 in less than a second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import IO

from _harness import RESULTS, Wire, database, median, organisation, serve_here, web
from campaign_smtp import prepare, workers
from perigee.campaigns import manage
from perigee.campaigns.types import CampaignCreate
from perigee.db.pool import Database
from smtp_sink import watching_sink

WATCHED = "single-"
REACH = 1.0


class Arrivals:
    """Address → moment, as the sink's lines come in."""

    def __init__(self, lines: IO[str]) -> None:
        self.found: dict[str, float] = {}
        Thread(target=self._read, args=[lines], daemon=True).start()

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            address, moment = line.split()
            self.found[address] = float(moment)

    def wait(self, addresses: list[str], seconds: float) -> None:
        until = time.monotonic() + seconds
        while missing := [address for address in addresses if address not in self.found]:
            if time.monotonic() > until:
                raise SystemExit(f"{len(missing)} messages never arrived, for example to {missing[0]}")
            time.sleep(0.05)


@contextmanager
def arrivals() -> Iterator[tuple[int, Arrivals]]:
    with watching_sink(WATCHED) as (port, lines):
        yield port, Arrivals(lines)


class Campaigns:
    """One after another, so that there is always one under way."""

    def __init__(self, url: str, org_id: int, segment_id: int, message_id: int) -> None:
        self.url, self.org_id, self.segment_id, self.message_id = url, org_id, segment_id, message_id
        self.launched = 0

    def launch(self) -> None:
        asyncio.run(self._launch())
        self.launched += 1

    async def _launch(self) -> None:
        async with Database(self.url) as db, db.transaction() as conn:
            wanted = CampaignCreate(message_id=self.message_id, include=[self.segment_id])
            made = await manage.create(conn, self.org_id, wanted)
            await manage.launch(conn, self.org_id, made.campaign_id, at=None, now=datetime.now(UTC))

    def sent(self) -> int:
        return asyncio.run(self._sum("sent"))

    def left(self) -> int:
        return asyncio.run(self._sum("cardinality(recipients) - position"))

    async def _sum(self, what: str) -> int:
        async with Database(self.url) as db, db.connection() as conn:
            query = f"select coalesce(sum({what}), 0)::int from send_batch where lane = 1"
            row = await (await conn.execute(query.encode())).fetchone()
        assert row is not None
        return int(row[0])


def call(wire: Wire, message_id: int, address: str) -> float:
    """Moment at which the call began."""
    body = json.dumps({"recipients": [{"locator": address}], "email": True})
    began = time.monotonic()
    wire.connection.request(
        "POST", f"/api/v1/message/{message_id}/smartsend", body=body, headers=wire.headers
    )
    answer = wire.connection.getresponse()
    text = answer.read()
    if answer.status != 200 or b'"OK"' not in text:
        raise SystemExit(f"smartsend: {answer.status} {text[:300]!r}")
    return began


def measure(
    campaigns: Campaigns, wire: Wire, arrived: Arrivals, calls: int, pause: float
) -> tuple[list[float], float]:
    """Seconds of each message, in order of their length; messages a second of the campaign meanwhile."""
    campaigns.launch()
    while not campaigns.sent():
        time.sleep(0.05)
    began: dict[str, float] = {}
    sent, started = campaigns.sent(), time.monotonic()
    for number in range(calls):
        if number % 10 == 0 and campaigns.left() < 10_000:
            campaigns.launch()
        address = f"{WATCHED}{number}@example.net"
        began[address] = call(wire, campaigns.message_id, address)
        time.sleep(pause)
    arrived.wait(list(began), 60.0)
    rate = (campaigns.sent() - sent) / (time.monotonic() - started)
    return sorted(arrived.found[address] - moment for address, moment in began.items()), rate


def show(seconds: list[float], rate: float, campaigns: int) -> None:
    p95 = seconds[max(0, -(-len(seconds) * 95 // 100) - 1)]
    print(
        f"transactional_latency: median {median(seconds):.3f} s, p95 {p95:.3f} s, max {seconds[-1]:.3f} s"
        f" of {len(seconds)}, beside a campaign at {rate:,.0f}/s; reach p95 < {REACH:.0f} s"
    )
    RESULTS.mkdir(exist_ok=True)
    result = {
        "name": "transactional_latency",
        "median": median(seconds),
        "p95": p95,
        "max": seconds[-1],
        "calls": len(seconds),
        "campaign_rate": rate,
        "campaigns": campaigns,
        "reach": REACH,
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    (RESULTS / "transactional_latency.json").write_text(json.dumps(result, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipients", type=int, default=40_000)
    parser.add_argument("--calls", type=int, default=60)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--pause", type=float, default=0.1, help="seconds between two calls")
    options = parser.parse_args()
    with database() as url, arrivals() as (sink, arrived):
        org_id, key = organisation(url)
        segment_id, message_id = asyncio.run(prepare(url, org_id, options.recipients, sink))
        campaigns = Campaigns(url, org_id, segment_id, message_id)
        with web(str(Path(__file__).resolve()), url) as port, workers(url, options.workers, False):
            wire = Wire(port, key)
            wire.headers["Content-Type"] = "application/json"
            seconds, rate = measure(campaigns, wire, arrived, options.calls, options.pause)
    show(seconds, rate, campaigns.launched)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve_here([])
    else:
        main()
