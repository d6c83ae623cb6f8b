"""How fast one process hands messages to a fast local sink, held against the fastest sender there is.

    python bench/smtp_client.py [--messages 40000] [--json FILE]

Prints one line per figure. The client runs as in production: one `Outgoing` and one future a message, at most 64
in flight, 8 connections, every answer read and accounted for.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import time
from collections import Counter
from pathlib import Path

import uvloop

from perigee.delivery.channel import Outgoing, Receipt
from perigee.delivery.channels.smtp.channel import SmtpChannel
from perigee.delivery.channels.smtp.settings import Security, SmtpSettings
from smtp_sink import make_message, measure_source, running_sink


async def send(
    port: int, *, messages: int, size: int, connections: int = 8, window: int = 64, pipelining: bool = True
) -> float:
    """Messages per second. Raises when a receipt is anything but `sent`."""
    settings = SmtpSettings(
        "127.0.0.1", port, Security.NONE, connections=connections, pipelining=pipelining, helo="bench"
    )
    channel = SmtpChannel(settings)
    payload = make_message(size)
    outcomes: Counter[str] = Counter()
    finished = asyncio.Event()
    begun = 0

    def allow() -> bool:
        return True

    def settle(future: asyncio.Future[Receipt]) -> None:
        outcomes[future.result().outcome] += 1
        if begun < messages:
            begin()
        elif outcomes.total() == messages:
            finished.set()

    def begin() -> None:
        nonlocal begun
        begun += 1
        outgoing = Outgoing(
            1,
            1,
            begun,
            begun,
            f"user{begun}@example.net",
            f"{begun}@example.com",
            "b@example.com",
            payload,
            allow,
            time.monotonic() + 1,
        )
        channel.submit(outgoing).add_done_callback(settle)

    began = time.perf_counter()
    for _ in range(min(window, messages)):
        begin()
    await finished.wait()
    seconds = time.perf_counter() - began
    await channel.close()
    if outcomes != Counter(sent=messages):
        raise RuntimeError(f"not everything was sent: {outcomes}")
    return messages / seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--messages", type=int, default=40_000)
    parser.add_argument("--bytes", type=int, default=5_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures: dict[str, object] = {
        "messages": options.messages,
        "bytes": options.bytes,
        "cores": os.cpu_count(),
    }
    with running_sink() as (sink, port):
        figures["sink"] = sink
        for name, pipelining in (("client", True), ("client without pipelining", False)):
            before = (
                resource.getrusage(resource.RUSAGE_SELF).ru_utime
                + resource.getrusage(resource.RUSAGE_SELF).ru_stime
            )
            rate = uvloop.run(
                send(port, messages=options.messages, size=options.bytes, pipelining=pipelining)
            )
            after = (
                resource.getrusage(resource.RUSAGE_SELF).ru_utime
                + resource.getrusage(resource.RUSAGE_SELF).ru_stime
            )
            figures[name] = round(rate)
            cpu = (after - before) / options.messages * 1e6
            figures[f"{name}, CPU µs a message"] = round(cpu, 1)
            print(f"smtp {name}: {rate:,.0f}/s, {cpu:.0f} µs of CPU a message, into {sink}")
        source, bound = measure_source(port, messages=options.messages, size=options.bytes)
        figures["bound"], figures["source"] = round(bound), source
        print(f"smtp bound ({source}): {bound:,.0f}/s; ratio {figures['client'] / bound:.2f}")  # type: ignore[operator]
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
