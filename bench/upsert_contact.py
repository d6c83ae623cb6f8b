"""`POST v1/contact` with 32 clients (DESIGN 9, row 3), held against an endpoint that decodes the same body and writes nothing.

    python bench/upsert_contact.py [--contacts 20000] [--rounds 3]

Half of the calls bring a new contact, half change one that is known. Both endpoints are served by the same web
process, behind the same authentication, and measured in turn.
"""

from __future__ import annotations

import argparse
import random
import sys

from _harness import database, median, organisation, rate, report, request, serve_here, web
from perigee.contacts.clean import clean
from perigee.contacts.types import ContactId, WireContact
from perigee.esputnik.face import Call, Right, operation
from perigee.lib import json_edge

FIRST = ("Anna", "Bo", "Ivan", "Olena", "Maria", "Taras", "Noor", "Li")
LAST = ("Koval", "Smith", "Shevchenko", "Nakamura", "Garcia")


@operation("POST", "/v1/bench_contact", section="", right=Right.CONTACT_UPDATE, body=WireContact)
async def post_nothing(call: Call) -> ContactId:
    """The bound: decodes the contact, writes nothing."""
    await call.json(WireContact)
    return ContactId(1)


@operation("POST", "/v1/bench_clean", section="", right=Right.CONTACT_UPDATE, body=WireContact)
async def post_clean(call: Call) -> ContactId:
    """A second bound: also cleans the contact."""
    clean(await call.json(WireContact))
    return ContactId(1)


def contact(number: int, version: int) -> dict[str, object]:
    return {
        "externalCustomerId": f"CRM-{number}",
        "firstName": FIRST[(number + version) % len(FIRST)],
        "lastName": LAST[number % len(LAST)],
        "channels": [
            {"type": "email", "value": f"customer{number}@example.com"},
            {"type": "sms", "value": f"38050{number:07d}"},
        ],
        "languageCode": "en",
    }


def requests(path: str, key: str, numbers: list[int], version: int) -> list[bytes]:
    return [request("POST", path, key, json_edge.encode(contact(number, version))) for number in numbers]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--contacts", type=int, default=20_000)
    arguments.add_argument("--rounds", type=int, default=3)
    options = arguments.parse_args()
    shuffled = random.Random(1)
    with database() as url:
        _, key = organisation(url)
        with web(__file__, url) as port:
            half = options.contacts // 2
            known = list(range(half))
            nothing = requests("/api/v1/bench_contact", key, known * 2, 0)
            rate(port, nothing)
            rate(port, requests("/api/v1/contact", key, known, 0))
            values, bounds = [], []
            for turn in range(1, options.rounds + 1):
                numbers = known + list(range(half * turn, half * (turn + 1)))
                shuffled.shuffle(numbers)
                bounds.append(rate(port, nothing))
                values.append(rate(port, requests("/api/v1/contact", key, numbers, turn)))
            cleaned = rate(port, requests("/api/v1/bench_clean", key, known, 0))
    print(f"upsert_contact, decoded and cleaned only: {cleaned:,.0f}/s")
    report(
        "upsert_contact",
        {"value": median(values), "bound": median(bounds)},
        bound="the same body decoded, nothing written",
        reach=0.5,
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve_here([post_nothing, post_clean])
    else:
        main()
