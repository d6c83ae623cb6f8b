"""Row 9 of the speed table: the memory of the web and worker processes during a campaign to a million people.

    python bench/memory.py [--recipients 1000000] [--workers 2] [--seconds 0]

`perigee up` as an operator starts it sends into an SMTP sink, while its progress is asked for every second, as the page of
a campaign does. Measured is the proportional set size (PSS): pages that processes share count once, so that the sum is what
the machine would have back. Flat means that the second half of the run needs no more than the first, but for the noise of
5 %. `--seconds` ends the measurement early.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import tempfile
import time
import urllib.request
from base64 import b64encode
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from _harness import RESULTS
from campaign_smtp import prepare
from perigee.db.embedded import EmbeddedServer
from perigee.keys import Keys
from perigee.testing.installation import Up, up
from smtp_sink import running_sink

MB = 1024 * 1024
LIMIT_MB = 400
FLAT = 1.05
PARTS = {"serve": "web", "worker": "worker"}


def measure(perigee: Up) -> dict[str, list[tuple[int, float, float]]]:
    """(pid, PSS, RSS) in MB of each web and worker process that lives now."""
    found: dict[str, list[tuple[int, float, float]]] = defaultdict(list)
    for child in psutil.Process(perigee.process.pid).children():
        with suppress(psutil.NoSuchProcess, IndexError):
            if part := PARTS.get(child.cmdline()[3]):
                memory = child.memory_full_info()
                found[part].append((child.pid, memory.pss / MB, memory.rss / MB))
    return found


class Campaign:
    """One campaign, by the API of the running installation."""

    def __init__(self, perigee: Up, org_id: int, segment_id: int, message_id: int, key: str) -> None:
        self.base = f"http://127.0.0.1:{perigee.port}/api/v4/campaigns"
        self.headers = {
            "Authorization": "Basic " + b64encode(f"any:{key}".encode()).decode(),
            "Content-Type": "application/json",
        }
        made = self._call("", {"message_id": message_id, "include": [segment_id]})
        self.path = f"/{made['campaign_id']}"
        self._call(f"{self.path}/launch", {})

    def progress(self) -> Any:
        return self._call(f"{self.path}/progress", None)

    def _call(self, path: str, body: Any) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, self.headers)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)


def run(perigee: Up, campaign: Campaign, seconds: float) -> tuple[list[dict[str, Any]], Any]:
    """A sample a second until the campaign is finished, and its last progress."""
    samples = []
    began = time.monotonic()
    while True:
        state = campaign.progress()
        parts = measure(perigee)
        samples.append({"at": time.monotonic() - began, "sent": state["sent"], "parts": parts})
        if state["state"] == "finished" or (seconds and time.monotonic() - began > seconds):
            return samples, state
        time.sleep(1)


def total(sample: dict[str, Any], column: int) -> float:
    return sum(row[column] for rows in sample["parts"].values() for row in rows)


def summary(samples: list[dict[str, Any]]) -> dict[str, float]:
    """Most of all processes together, and the slope of the part of the run after its first tenth, in which people, code
    and caches are loaded."""
    steady = samples[len(samples) // 10 :]
    half = len(steady) // 2
    first = statistics.mean(total(one, 1) for one in steady[:half])
    second = statistics.mean(total(one, 1) for one in steady[half:])
    slope = statistics.linear_regression(
        [one["sent"] for one in steady], [total(one, 1) for one in steady]
    ).slope
    return {
        "most_pss_mb": max(total(one, 1) for one in samples),
        "most_rss_mb": max(total(one, 2) for one in samples),
        "first_half_mb": first,
        "second_half_mb": second,
        "mb_per_100000_messages": slope * 100_000,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipients", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=0)
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="perigee-bench-", dir="/var/tmp"))
    home.chmod(0o755)
    try:
        with (
            running_sink() as (sink, port),
            up(home, PERIGEE_WORKERS=str(options.workers), PERIGEE_RATE_CALLS="0") as perigee,
        ):
            perigee.until_ready()
            idle = measure(perigee)
            url = EmbeddedServer(home).url()
            keys = Keys.of((home / "secret_key").read_text().strip())
            org_id, key = asyncio.run(organisation_of(url, keys))
            segment_id, message_id = asyncio.run(prepare(url, org_id, options.recipients, port, keys))
            campaign = Campaign(perigee, org_id, segment_id, message_id, key)
            samples, state = run(perigee, campaign, options.seconds)
    finally:
        EmbeddedServer(home).remove()
        shutil.rmtree(home, ignore_errors=True)
    figures = summary(samples)
    each = {
        part: max(row[1] for one in samples for row in one["parts"].get(part, []))
        for part in ("web", "worker")
    }
    flat = figures["second_half_mb"] / figures["first_half_mb"]
    print(
        f"memory: at most {figures['most_pss_mb']:.0f} MB (RSS {figures['most_rss_mb']:.0f}) in web + {options.workers} "
        f"workers, reach {LIMIT_MB}; a web process {each['web']:.0f}, a worker {each['worker']:.0f}; second half / first "
        f"half {flat:.3f}, {figures['mb_per_100000_messages']:+.2f} MB per 100,000 messages; "
        f"{state['sent']:,} messages into {sink} in {samples[-1]['at']:.0f} s"
    )
    RESULTS.mkdir(exist_ok=True)
    result = {
        "name": "memory",
        "recipients": options.recipients,
        "workers": options.workers,
        "sent": state["sent"],
        "seconds": samples[-1]["at"],
        **figures,
        "idle_pss_mb": sum(row[1] for rows in idle.values() for row in rows),
        "each_pss_mb": each,
        "cores": os.cpu_count(),
        "samples": [[round(one["at"], 1), one["sent"], round(total(one, 1), 1)] for one in samples],
    }
    (RESULTS / "memory.json").write_text(json.dumps(result, indent=1) + "\n")
    if figures["most_pss_mb"] > LIMIT_MB or flat > FLAT:
        raise SystemExit(1)


async def organisation_of(url: str, keys: Keys) -> tuple[int, str]:
    from perigee.accounts.bootstrap import create_organisation
    from perigee.db.pool import Database

    async with Database(url) as db, db.transaction() as conn:
        return await create_organisation(conn, keys, name="Bench", owner="owner@bench.example.com")


if __name__ == "__main__":
    main()
