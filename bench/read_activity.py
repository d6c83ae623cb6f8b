"""Activity, message history and daily figures at a million contacts (issue 3).

    python bench/read_activity.py [--contacts 1000000] [--campaigns 30] [--recipients 200000] [--calls 30]

Seeds campaigns of the last sixty days: a ledger line and a delivery for everybody, 30 % opens, 10 % clicks, some
unsubscribes and complaints. Milliseconds a call over one kept connection, median and worst of `calls`, each from another
place or for another person. The bounds are the bare keyed SELECTs of the same rows straight on PostgreSQL.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import connect

from _harness import Wire, database, organisation, report_times, serve_here, timed, web
from perigee.db import partitions
from perigee.db.pool import Database
from perigee.reports.cursor import Place, write

CONTACTS = """
insert into contact (org_id, contact_id, source, external_id, email, first_name)
select %(org)s, 100000 + n, 'import', 'CRM-' || n, 'person-' || n || '@example.com', 'Anna'
from generate_series(1, %(contacts)s) n
"""
CONTENT = """
insert into send_content (org_id, digest, content) values (%(org)s, 'x',
    '{"default": "en", "name": "News", "versions": {"en": {"from": "\\"Shop\\" <news@example.com>", "subject": "News for %%FIRSTNAME|friend%%", "htmlText": "<p>Hi</p>"}}}')
"""
SEND = """
insert into send (org_id, send_id, started_at, kind, channel, campaign_id, message_id, message_name, tags, marketing,
                  provider_id, content_digest, sender, state, chosen, finished_at)
values (%(org)s, %(send)s, %(at)s, 'campaign', 'email', %(send)s, 2345001, 'News', array['all', 'tag' || %(send)s], true, 1,
        'x', '"Shop" <news@example.com>', 'finished', %(recipients)s, %(at)s + interval '10 minutes')
"""
BATCHES = """
insert into send_batch (org_id, send_id, batch_no, recipients, ordinals, sent, done_at)
select %(org)s, %(send)s, n, '{}', '{}', 500, %(at)s + interval '9 minutes'
from generate_series(1, %(recipients)s / 500) n
"""
LEDGER = """
insert into delivery (org_id, send_started_at, send_id, ordinal, contact_id, address, outcome, language, at)
select %(org)s, %(at)s, %(send)s, n, c, 'person-' || c - 100000 || '@example.com', 'sent', 'en', %(at)s + n * interval '2 milliseconds'
from (select n, 100001 + (n * 5 + %(send)s::bigint * 7919) %% %(contacts)s as c from generate_series(1, %(recipients)s) n) one
"""
DELIVERED = """
insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status)
select org_id, at, send_id, ordinal, contact_id, 'email', 'DELIVERED'
from delivery where org_id = %(org)s and send_started_at = %(at)s and send_id = %(send)s
"""
HITS = """
insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status, link_no, detail)
select org_id, at + (1 + ordinal::bigint * 7919 %% 2800) * interval '1 minute', send_id, ordinal, contact_id, 'email', h.status,
       case h.status when 'CLICKED' then 1 end, case h.status when 'CLICKED' then 'https://shop.example.com/sale' end
from delivery, (values ('READ', 10, 3), ('CLICKED', 10, 1), ('UNSUBSCRIBED', 1000, 1), ('SPAM', 5000, 1)) h (status, of, share)
where org_id = %(org)s and send_started_at = %(at)s and send_id = %(send)s and ordinal %% h.of < h.share
order by 2
"""
FIRST_SEND = 4_702_001


def seed(url: str, org_id: int, options: argparse.Namespace) -> datetime:
    """Two thirds of it are in past months. Returns when the first campaign began."""
    began = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=60)
    asyncio.run(months_since(url, began))
    with connect(url, autocommit=True) as connection:
        connection.execute("set statement_timeout = 0")
        values: dict[str, Any] = {
            "org": org_id,
            "contacts": options.contacts,
            "recipients": options.recipients,
        }
        connection.execute(CONTACTS, values)
        connection.execute(CONTENT, values)
        for number in range(options.campaigns):
            at = began + timedelta(days=58 * number / options.campaigns)
            one = {**values, "send": FIRST_SEND + number, "at": at}
            for statement in (SEND, BATCHES, LEDGER, DELIVERED, HITS):
                connection.execute(statement, one)
        connection.execute("vacuum analyze")
    return began


async def months_since(url: str, began: datetime) -> None:
    """The partitions an installation would have that has run since then."""
    async with Database(url) as db, db.transaction() as connection:
        await partitions.ensure(connection, began)
        await partitions.ensure(connection, datetime.now(UTC))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--contacts", type=int, default=1_000_000)
    arguments.add_argument("--campaigns", type=int, default=30)
    arguments.add_argument("--recipients", type=int, default=200_000)
    arguments.add_argument("--calls", type=int, default=30)
    options = arguments.parse_args()
    with database() as url:
        org_id, key = organisation(url)
        began = seed(url, org_id, options)
        with web(__file__, url) as port, connect(url, autocommit=True) as direct:
            report_times("read_activity", measure(options, org_id, Wire(port, key), direct, began))


def measure(
    options: argparse.Namespace, org_id: int, wire: Wire, direct: Any, began: datetime
) -> dict[str, list[float]]:
    chance = random.Random(7)
    calls = options.calls
    print(f"{direct.execute('select count(*) from activity').fetchone()[0]:,} rows of activity")
    period = f"dateFrom={began.date()}&dateTo={datetime.now(UTC).date()}"
    moments = [began + timedelta(days=chance.random() * 50) for _ in range(calls)]
    people = [chance.randrange(options.contacts) + 1 for _ in range(calls)]
    # Of people who got something: the first campaign's recipients.
    known = [
        (chance.randrange(options.recipients) * 5 + FIRST_SEND * 7919) % options.contacts + 1
        for _ in range(calls)
    ]

    def feed(query: str, rows: int | None = None) -> list[Any]:
        return wire.get(f"/api/v2/contacts/activity?{period}&{query}", rows)

    def after(n: int) -> str:
        return "offset=" + write(Place(moments[n], 0))

    feed("maxrows=1")
    return {
        "bound: bare SELECT of 100 rows after a place": timed(
            calls,
            lambda n: direct.execute(
                "select * from activity where org_id = %s and at >= %s and (at, activity_id) > (%s, 0) "
                "order by at, activity_id limit 100",
                [org_id, moments[n], moments[n]],
            ).fetchall(),
        ),
        "bound: bare SELECT of the ledger of one contact": timed(
            calls,
            lambda n: direct.execute(
                "select * from delivery where org_id = %s and contact_id = %s order by at desc limit 10",
                [org_id, 100_000 + known[n]],
            ).fetchall(),
        ),
        "first page of 100": timed(calls, lambda n: feed("maxrows=100", 100)),
        "100 rows after a deep cursor": timed(calls, lambda n: feed(f"maxrows=100&{after(n)}", 100)),
        "1,000 rows after a deep cursor": timed(calls, lambda n: feed(f"maxrows=1000&{after(n)}", 1000)),
        "25,000 rows after a deep cursor": timed(3, lambda n: feed(after(n), 25_000)),
        "by email": timed(calls, lambda n: feed(f"maxrows=100&email=person-{known[n]}@example.com")),
        "by an email nobody has": timed(
            calls, lambda n: feed(f"maxrows=100&email=nobody-{people[n]}@example.com", 0)
        ),
        "by status CLICKED, 100 after a deep cursor": timed(
            calls, lambda n: feed(f"maxrows=100&activityStatus=CLICKED&{after(n)}", 100)
        ),
        "by status SPAM, 100 after a deep cursor": timed(
            calls, lambda n: feed(f"maxrows=100&activityStatus=SPAM&{after(n)}")
        ),
        "by status DELIVERED, 100 after a deep cursor": timed(
            calls, lambda n: feed(f"maxrows=100&activityStatus=DELIVERED&{after(n)}", 100)
        ),
        "by status and email": timed(
            calls, lambda n: feed(f"maxrows=100&activityStatus=READ&email=person-{known[n]}@example.com")
        ),
        "by the tag of one campaign, first 100": timed(
            calls,
            lambda n: feed(f"maxrows=100&messageTag=tag{FIRST_SEND + n % options.campaigns}", 100),
        ),
        "by the tag of all campaigns, 100 after a deep cursor": timed(
            calls, lambda n: feed(f"maxrows=100&messageTag=all&{after(n)}", 100)
        ),
        "history of a contact, 10 messages": timed(
            calls, lambda n: wire.get(f"/api/v2/contacts/messages?{period}&contactId={100_000 + known[n]}")
        ),
        "history by email": timed(
            calls,
            lambda n: wire.get(f"/api/v2/contacts/messages?{period}&email=person-{known[n]}@example.com"),
        ),
        "daily figures of sixty days": timed(
            calls,
            lambda n: wire.get(
                f"/api/v1/balance/history?dateFrom={began.date()}&dateTo={datetime.now(UTC).date()}"
            ),
        ),
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve_here([])
    else:
        main()
