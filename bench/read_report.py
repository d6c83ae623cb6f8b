"""The report of a campaign to a million: figures, breakdowns, the table of recipients, its export (issue 4).

    python bench/read_report.py [--recipients 1000000] [--calls 3]

Seeds one campaign with a ledger line for everybody: 97 % sent over 40 domains, the rest failed or dropped; 30 % opened, 10 %
clicked one of five links, some twice, a fifth of the opens by machines; some unsubscribed or complained. Milliseconds a call
over one kept connection, the client's reading of the answer included. The bound is the bare count of the ledger by outcome
straight on PostgreSQL.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import connect

from _harness import Wire, database, organisation, report_times, serve_here, timed, web
from perigee.db import partitions
from perigee.db.pool import Database

CAMPAIGN, SEND, MESSAGE = 3_459_001, 4_702_001, 2_345_001
STATEMENTS = (
    """
insert into contact (org_id, contact_id, source, email)
select %(org)s, 100000 + n, 'import', 'person-' || n || '@domain-' || n %% 40 || '.example.com'
from generate_series(1, %(recipients)s) n""",
    """
insert into message (org_id, message_id, channel, name, language)
values (%(org)s, %(message)s, 'email', 'News', 'en')""",
    """
insert into campaign (org_id, campaign_id, title, message_id, channel, include, state, send_id)
values (%(org)s, %(campaign)s, 'News', %(message)s, 'email', '{}', 'finished', %(send)s)""",
    "insert into send_content (org_id, digest, content) values (%(org)s, 'x', '{}')",
    """
insert into content_link (org_id, digest, language, link_no, url)
select %(org)s, 'x', 'en', n, 'https://shop.example.com/' || n from generate_series(1, 5) n""",
    """
insert into send (org_id, send_id, started_at, kind, channel, campaign_id, message_id, message_name, marketing,
                  provider_id, content_digest, state, chosen, finished_at)
values (%(org)s, %(send)s, %(at)s, 'campaign', 'email', %(campaign)s, %(message)s, 'News', true, 1, 'x', 'finished',
        %(recipients)s, %(at)s + interval '10 minutes')""",
    """
insert into send_batch (org_id, send_id, batch_no, recipients, ordinals, sent, failed, dropped, done_at)
select %(org)s, %(send)s, n, '{}', '{}', 485, 10, 5, %(at)s + interval '9 minutes'
from generate_series(1, %(recipients)s / 500) n""",
    """
insert into delivery (org_id, send_started_at, send_id, ordinal, contact_id, address, outcome, reason, language, at)
select %(org)s, %(at)s, %(send)s, c.n, c.contact_id, case when c.n %% 200 > 0 then c.email end,
       case when c.n %% 200 = 0 then 'dropped' when c.n %% 50 = 1 then 'failed' else 'sent' end,
       case when c.n %% 200 = 0 then 'blacklisted' when c.n %% 50 = 1 then 'no_mailbox' end, 'en',
       %(at)s + c.n * interval '0.1 milliseconds'
from (select contact_id, email, contact_id - 100000 as n from contact where org_id = %(org)s) c""",
    """
insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status)
select org_id, at, send_id, ordinal, contact_id, 'email', 'DELIVERED' from delivery
where org_id = %(org)s and outcome = 'sent'""",
    """
insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status, link_no, detail, meta)
select org_id, at + (1 + ordinal::bigint * 7919 %% 2800) * interval '1 minute', send_id, ordinal, contact_id, 'email', h.status,
       case h.status when 'CLICKED' then 1 + ordinal %% 5 end,
       case h.status when 'CLICKED' then 'https://shop.example.com/' || 1 + ordinal %% 5 end,
       case when h.status = 'READ' and ordinal %% 50 = 2 then '{"ua": "Scanner", "machine": "early"}'::jsonb
            else '{"ua": "Mozilla/5.0", "device": "mobile", "client": "Gmail", "os": "Android"}' end
from delivery, (values ('READ', 10, 3), ('CLICKED', 10, 1), ('CLICKED', 50, 1), ('UNSUBSCRIBED', 1000, 1), ('SPAM', 5000, 1))
     h (status, of, share)
where org_id = %(org)s and outcome = 'sent' and (ordinal + 1) %% h.of < h.share
order by 2""",
    "vacuum analyze",
)


def seed(url: str, org_id: int, recipients: int) -> None:
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)
    asyncio.run(_partitions(url, at))
    values: dict[str, Any] = {
        "org": org_id,
        "recipients": recipients,
        "campaign": CAMPAIGN,
        "send": SEND,
        "message": MESSAGE,
        "at": at,
    }
    with connect(url, autocommit=True) as connection:
        connection.execute("set statement_timeout = 0")
        for statement in STATEMENTS:
            connection.execute(statement, values if "%(" in statement else None)


async def _partitions(url: str, at: datetime) -> None:
    async with Database(url) as db, db.transaction() as connection:
        await partitions.ensure(connection, at)
        await partitions.ensure(connection, datetime.now(UTC))


def measure(wire: Wire, direct: Any, org_id: int, recipients: int, calls: int) -> dict[str, list[float]]:
    base = f"/api/v4/campaigns/{CAMPAIGN}"
    report = wire.get(f"{base}/report")
    assert report["waiting"] == 0, report
    found = {
        "bound: the ledger counted by outcome": timed(
            calls,
            lambda _: direct.execute(
                "select outcome, count(*) from delivery where org_id = %s and send_id = %s group by 1",
                [org_id, SEND],
            ).fetchall(),
        ),
        "report": timed(calls, lambda _: wire.get(f"{base}/report")),
    }
    for by in ("domain", "language", "link", "url", "device", "hour"):
        found[f"breakdown by {by}"] = timed(calls, lambda _, by=by: wire.get(f"{base}/breakdown?by={by}"))
    for what, query in {
        "first page of 100 recipients": "",
        "a page of 100 in the middle": f"&cursor={SEND}-{recipients // 2}",
        "those who clicked, first page": "&engaged=clicked",
        "those who complained, first page": "&engaged=complained",
        "of one domain, first page": "&domain=domain-7.example.com",
        "of a domain that is not there": "&domain=nowhere.example.com",
        "one address": f"&address=person-{recipients // 2}@domain-{recipients // 2 % 40}.example.com",
    }.items():
        found[what] = timed(calls, lambda _, query=query: wire.get(f"{base}/recipients?limit=100{query}"))
    found["CSV of everybody"] = timed(1, lambda _: lines(wire, f"{base}/recipients.csv", recipients + 1))
    found["CSV of those who clicked"] = timed(
        1, lambda _: lines(wire, f"{base}/recipients.csv?engaged=clicked")
    )
    return found


def lines(wire: Wire, path: str, wanted: int | None = None) -> None:
    """Reads a file to its end. Raises when it has not so many lines."""
    wire.connection.request("GET", path, headers=wire.headers)
    answer = wire.connection.getresponse()
    size = count = 0
    while piece := answer.read(1 << 20):
        size += len(piece)
        count += piece.count(b"\n")
    print(f"{path}: {count:,} lines, {size / 1e6:.1f} MB")
    if answer.status != 200 or (wanted is not None and count != wanted):
        raise RuntimeError(f"{path}: {answer.status}, {count} lines")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--recipients", type=int, default=1_000_000)
    arguments.add_argument("--calls", type=int, default=3)
    options = arguments.parse_args()
    with database() as url:
        org_id, key = organisation(url)
        seed(url, org_id, options.recipients)
        with web(__file__, url) as port, connect(url, autocommit=True) as direct:
            figures = measure(Wire(port, key), direct, org_id, options.recipients, options.calls)
    report_times("read_report", figures)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve_here([])
    else:
        main()
