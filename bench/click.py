"""A click, `GET /c/<token>`, with 32 clients (DESIGN 9, row 8), held against an empty endpoint of the same web process.

    python bench/click.py [--clicks 20000] [--rounds 3] [--recipients 100000]

Each click is of another recipient of one campaign, on one of its ten links, by one of two hundred browsers. It is judged
(person or machine) and committed before it is answered. Both endpoints are measured in turn.
"""

from __future__ import annotations

import argparse
import sys

from litestar import Response, get
from litestar.types import ControllerRouterHandler
from psycopg import connect

from _harness import SECRET, database, median, organisation, rate, report, serve_here, web
from perigee.http import app
from perigee.http.context import AppContext
from perigee.keys import Keys
from perigee.messages.links import SignedLinks

STRIDE = 7_919
"""A prime: neighbouring clicks are of recipients far apart."""
LINKS = 10
BROWSERS = 200
SEND = 1
SEED = [
    """
insert into send (org_id, send_id, started_at, kind, channel, marketing, provider_id, content_digest, chosen)
values (%(org)s, %(send)s, now() - interval '1 hour', 'campaign', 'email', true, 1, '\\x01', %(people)s)
""",
    """
insert into content_link (org_id, digest, language, link_no, url)
select %(org)s, '\\x01', 'en', n, 'https://shop.example.com/p/' || n from generate_series(1, %(links)s) n
""",
    """
insert into delivery (org_id, send_started_at, send_id, ordinal, contact_id, address, outcome, at)
select %(org)s, s.started_at, s.send_id, n, n + 1, 'person-' || n || '@example.com', 'sent', s.started_at
from send s, generate_series(0, %(people)s - 1) n where s.org_id = %(org)s
""",
]


def empty_page(_: AppContext) -> ControllerRouterHandler:
    """The bound: what the server can do."""

    @get("/bench/{token:str}")
    async def handle(token: str) -> Response[bytes]:
        return Response(b"", status_code=302, headers={"Location": "https://shop.example.com/"})

    return handle


def seed(url: str, org_id: int, people: int) -> None:
    values = {"org": org_id, "send": SEND, "people": people, "links": LINKS}
    with connect(url, autocommit=True) as connection:
        connection.execute("set statement_timeout = 0")
        for statement in SEED:
            connection.execute(statement.encode(), values)
        connection.execute("vacuum analyze delivery")


def clicks(org_id: int, count: int, people: int) -> list[str]:
    """Paths of clicks on stored links."""
    links = SignedLinks(Keys.of(SECRET).links, "", org_id, SEND)
    ordinals = [number * STRIDE % people for number in range(count)]
    return [
        links.of(ordinal, ordinal + 1).click(number % LINKS + 1, None)
        for number, ordinal in enumerate(ordinals)
    ]


def requests(paths: list[str]) -> list[bytes]:
    return [
        (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\nUser-Agent: Mozilla/5.0 (Windows NT 10.0; "
            f"Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{number % BROWSERS}.0.0.0 Safari/537.36\r\n\r\n"
        ).encode()
        for number, path in enumerate(paths)
    ]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--clicks", type=int, default=20_000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--recipients", type=int, default=100_000)
    options = arguments.parse_args()
    with database() as url:
        org_id, _ = organisation(url)
        seed(url, org_id, options.recipients)
        paths = clicks(org_id, options.clicks * (options.rounds + 1), options.recipients)
        warm, *rounds = [
            requests(paths[start : start + options.clicks]) for start in range(0, len(paths), options.clicks)
        ]
        nothing = [one.replace(b"GET /c/", b"GET /bench/", 1) for one in warm]
        with web(__file__, url) as port:
            rate(port, warm[:5_000], status=302)
            rate(port, nothing, status=302)
            values, bounds = [], []
            for each in rounds:
                bounds.append(rate(port, nothing, status=302))
                values.append(rate(port, each, status=302))
        check(url, org_id, options.clicks * options.rounds)
    report(
        "click",
        {"value": median(values), "bound": median(bounds)},
        bound="an empty answer of the same server",
        reach=0.5,
    )


def check(url: str, org_id: int, expected: int) -> None:
    """Every click that was answered is there, and is a person's."""
    with connect(url) as connection:
        query = (
            "select count(*), count(*) filter (where meta ? 'machine') from activity"
            " where org_id = %s and status = 'CLICKED'"
        )
        counted, machines = connection.execute(query, [org_id]).fetchone() or (0, 0)
    if counted < expected or machines:
        raise RuntimeError(f"{counted} clicks, {machines} of machines; {expected} were answered")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        app.PAGES = (*app.PAGES, empty_page)  # type: ignore[misc]  # the bound is served beside what it bounds
        serve_here([])
    else:
        main()
