"""`POST v3/event` with 32 clients (DESIGN 9, row 4), held against an endpoint that decodes the same body and writes nothing.

    python bench/event.py [--events 20000] [--rounds 3] [--contacts 1000000]

Each event names one of the organisation's contacts, anywhere among them, and has four parameters. Both endpoints are served by the same web process, behind the same authentication, and measured in turn.
"""

from __future__ import annotations

import argparse
import sys

from psycopg import connect

from _harness import database, median, organisation, rate, report, request, serve_here, web
from perigee.esputnik.face import Answer, Call, Right, empty, event_limit, operation
from perigee.events.intake import EventIn, clean
from perigee.lib import json_edge

STRIDE = 7_919
"""A prime: neighbouring events name contacts far apart."""
SEED = """
insert into contact (org_id, source, external_id, email)
select %s, 'import', 'CRM-' || n, 'person-' || n || '@example.com' from generate_series(0, %s - 1) n
"""


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


def seed(url: str, org_id: int, contacts: int) -> None:
    with connect(url, autocommit=True) as connection:
        connection.execute("set statement_timeout = 0")
        connection.execute(SEED, [org_id, contacts])
        connection.execute("vacuum analyze contact")


def requests(path: str, key: str, count: int, contacts: int) -> list[bytes]:
    made = []
    for number in range(count):
        event = {
            "eventTypeKey": "AbandonedCart",
            "params": {
                "externalCustomerId": f"CRM-{number * STRIDE % contacts}",
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
    arguments.add_argument("--contacts", type=int, default=1_000_000)
    options = arguments.parse_args()
    with database() as url:
        org_id, key = organisation(url)
        seed(url, org_id, options.contacts)
        with web(__file__, url) as port:
            events = requests("/api/v3/event", key, options.events, options.contacts)
            nothing = requests("/api/v3/bench_event", key, options.events, options.contacts)
            rate(port, events[:5_000])
            rate(port, nothing)
            values, bounds = [], []
            for _ in range(options.rounds):
                bounds.append(rate(port, nothing))
                values.append(rate(port, events))
            cleaned = rate(port, requests("/api/v3/bench_clean", key, options.events, options.contacts))
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
