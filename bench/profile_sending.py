"""What a message costs and where: a campaign through one worker into an SMTP sink, the worker's stack looked at every
millisecond of its own processor time.

    python bench/profile_sending.py [--recipients 40000]

A sampler costs next to nothing, so the sum is the real one (a tracing profiler doubles what has many calls). Each sample
counts for the innermost frame that belongs to a step. The worker's steps are microseconds of its processor time;
PostgreSQL's are those of its own processes, which run beside it. Signatures are timed apart, on the same message.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import FrameType

import psutil
import uvloop
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from _harness import RESULTS, SETTINGS, database, organisation
from campaign_smtp import campaign, prepare, rendered
from perigee import worker
from perigee.domains.sign import Signer
from perigee.lib.garbage import calm
from smtp_sink import running_sink

TICK = 0.001
READY = "ready"
STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("sign", ("/perigee/domains/sign.py",)),
    (
        "render: merge fields, links, encoding, headers",
        ("/perigee/delivery/rendering.py", "/perigee/delivery/tracking.py", "/perigee/messages/", "/liquid/"),
    ),
    ("SMTP: envelope, bytes, answers", ("/perigee/delivery/channels/",)),
    ("SQL: claim, load, suppression, commit", ("/psycopg", "/perigee/db/", "/perigee/delivery/lease.py")),
    ("sender: windows, accounts, receipts", ("/perigee/delivery/",)),
    ("scheduler, jobs, upkeep", ("/perigee/", "/procrastinate/")),
)
LOOP = "event loop: sockets, callbacks"


class Sampler:
    """Counts, for every millisecond of processor time, the step this process is in."""

    def __init__(self) -> None:
        self.samples: Counter[str] = Counter()
        self._known: dict[str, str | None] = {}

    def start(self) -> None:
        self._began = time.process_time()
        signal.signal(signal.SIGPROF, self._tick)
        signal.setitimer(signal.ITIMER_PROF, TICK, TICK)

    def stop(self) -> float:
        """Processor seconds since the start."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        return time.process_time() - self._began

    def _tick(self, number: int, frame: FrameType | None) -> None:
        other = None  # helpers count for the step that calls them
        while frame is not None:
            step = self._step(frame.f_code.co_filename)
            if step == STEPS[-1][0]:
                other = step
            elif step is not None:
                self.samples[step] += 1
                return
            frame = frame.f_back
        self.samples[other or LOOP] += 1

    def _step(self, filename: str) -> str | None:
        if filename not in self._known:
            step = next((step for step, parts in STEPS if any(part in filename for part in parts)), None)
            # What runs everything else is below every stack.
            self._known[filename] = None if filename.endswith("/perigee/worker.py") else step
        return self._known[filename]


async def work(url: str) -> None:
    """The worker process: samples from SIGUSR1 on, and prints what it found when it is told to stop."""
    calm()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    sampler = Sampler()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, sampler.start)
    print(READY, flush=True)
    await worker.run(replace(SETTINGS), url, stop=stop)
    print(json.dumps({"samples": sampler.samples, "seconds": sampler.stop()}))


def postgres_seconds(url: str) -> float:
    """Processor seconds that PostgreSQL's processes, those that ended included, have used so far."""
    import psycopg

    with psycopg.connect(url) as connection:
        row = connection.execute("show data_directory").fetchone()
    assert row is not None
    pid = int((Path(row[0]) / "postmaster.pid").read_text().split()[0])
    server = psutil.Process(pid)
    times = [server.cpu_times(), *(child.cpu_times() for child in server.children())]
    ended = times[0]
    return sum(one.user + one.system for one in times) + ended.children_user + ended.children_system


def signing(org_id: int) -> dict[str, float]:
    """Microseconds of the signatures of one message, by one core."""
    raw = rendered(org_id)
    signer = Signer("example.com", "p1", generate_private_key(65537, 2048), Ed25519PrivateKey.generate())
    signer.sign(raw, 0)
    began, calls = time.process_time(), 300
    for number in range(calls):
        signer.sign(raw, number)
    return {"RSA-2048 and Ed25519": (time.process_time() - began) / calls * 1e6}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipients", type=int, default=40_000)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        uvloop.run(work(options.work))
        return
    with database() as url, running_sink() as (sink, port):
        org_id, _ = organisation(url)
        segment_id, message_id = asyncio.run(prepare(url, org_id, options.recipients, port))
        command = [sys.executable, str(Path(__file__).resolve()), "--work", url]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        while process.stdout.readline().strip() != READY:
            pass
        time.sleep(3)  # the start is no part of a message's cost
        process.send_signal(signal.SIGUSR1)
        before = postgres_seconds(url)
        rate = asyncio.run(campaign(url, org_id, segment_id, message_id))
        used = postgres_seconds(url) - before
        process.send_signal(signal.SIGTERM)
        told, _ = process.communicate(timeout=60)
        signatures = signing(org_id)
    found = json.loads(told.splitlines()[-1])  # its log comes before
    per_sample = found["seconds"] / sum(found["samples"].values()) / options.recipients * 1e6
    steps = {step: count * per_sample for step, count in Counter(found["samples"]).most_common()}
    processor = found["seconds"] / options.recipients * 1e6
    print(
        f"one worker, {options.recipients:,} messages into {sink}: {rate:,.0f}/s, {1e6 / rate:.0f} µs of time a message"
    )
    print(f"{processor:7.1f} µs processor time of the worker a message, of them")
    for step, value in steps.items():
        print(f"{value:7.1f} µs {step}")
    print(f"{used / options.recipients * 1e6:7.1f} µs processor time of PostgreSQL")
    for kind, value in signatures.items():
        print(f"{value:7.1f} µs for DKIM signatures, {kind}, where a message is signed")
    RESULTS.mkdir(exist_ok=True)
    result = {
        "name": "profile_sending",
        "recipients": options.recipients,
        "per_second": rate,
        "worker_us": processor,
        "steps_us": steps,
        "postgres_us": used / options.recipients * 1e6,
        "signatures_us": signatures,
        "cores": os.cpu_count(),
    }
    (RESULTS / "profile_sending.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
