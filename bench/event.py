"""`POST v3/event` with 32 clients (DESIGN 9, row 4), held against an endpoint that decodes the same body and writes nothing.

    python bench/event.py [--events 20000] [--rounds 3]

Each event names one of 10,000 customers and has four parameters; before the first measured round the customers are
known. Both endpoints are served by the same web process, behind the same authentication, and measured in turn.
"""

from __future__ import annotations

import argparse
import sys

from _harness import database, median, organisation, rate, report, request, serve_here, web
from perigee.esputnik.face import Answer, Call, Right, empty, event_limit, operation
from perigee.events.intake import EventIn, clean
from perigee.lib import json_edge

CUSTOMERS = 10_000


@operation("POST", "/v3/bench_event", section="", right=Right.EVENTS, body=EventIn, body_limit=event_limit)
async def post_nothing(call: Call) -> Answer:
    """The bound: decodes the event, writes nothing."""
    await call.json(EventIn)
    return empty()


@operation("POST", "/v3/bench_clean", section="", right=Right.EVENTS, body=EventIn, body_limit=event_limit)
async def post_clean(call: Call) -> Answer:
    """A second bound: also cleans the event."""
    clean(await call.json(EventIn), 3)
    return empty()


def requests(path: str, key: str, count: int) -> list[bytes]:
    made = []
    for number in range(count):
        event = {
            "eventTypeKey": "AbandonedCart",
            "params": {
                "externalCustomerId": f"CRM-{number % CUSTOMERS}",
                "cartId": f"C-{number}",
                "totalValue": 250.75,
                "currency": "EUR",
            },
        }
        made.append(request("POST", path, key, json_edge.encode(event)))
    return made


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--events", type=int, default=20_000)
    arguments.add_argument("--rounds", type=int, default=3)
    options = arguments.parse_args()
    with database() as url:
        _, key = organisation(url)
        with web(__file__, url) as port:
            events = requests("/api/v3/event", key, options.events)
            nothing = requests("/api/v3/bench_event", key, options.events)
            rate(port, requests("/api/v3/event", key, CUSTOMERS))
            rate(port, nothing)
            values, bounds = [], []
            for _ in range(options.rounds):
                bounds.append(rate(port, nothing))
                values.append(rate(port, events))
            cleaned = rate(port, requests("/api/v3/bench_clean", key, options.events))
    print(f"event, decoded and cleaned only: {cleaned:,.0f}/s")
    report(
        "event",
        {"value": median(values), "bound": median(bounds)},
        bound="the same body decoded, nothing written",
        reach=0.5,
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve_here([post_nothing, post_clean])
    else:
        main()
