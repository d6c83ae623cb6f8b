"""Reads of contacts at a million (issue 3): search by each filter, export and lists page by page, far pages.

    python bench/read_contacts.py [--contacts 1000000] [--calls 30]

Milliseconds a call over one kept connection, median and worst of `calls`, each on another value or page. The bound is
the keyed SELECT of the same page's ids straight on PostgreSQL. Nothing is remembered between calls but what the
product remembers itself.
"""

from __future__ import annotations

import argparse
import random
import sys

from psycopg import connect

from _harness import Wire, database, organisation, report_times, serve_here, timed, web

SEED = """
insert into contact (org_id, source, external_id, email, phone, first_name, last_name, updated_at)
select %(org)s, 'import', 'CRM-' || n, 'person-' || n || '@example.com', (380500000000 + n)::text,
       (array['Anna','Bohdan','Olena','Ivan','Maria','Petro','Sofia','Taras'])[1 + n %% 8] || case when n %% 1000 = 7 then 'ella' else '' end,
       'Koval' || n %% 5000, now() - n * interval '1 second'
from generate_series(1, %(contacts)s) n
"""
LIST = "insert into segment (org_id, name, kind) values (%s, 'Everybody', 'static') returning segment_id"
MEMBERS = """
insert into segment_member (org_id, segment_id, contact_id, joined_at)
select org_id, %s, contact_id, now() - (contact_id %% 1000000) * interval '1 second' from contact where org_id = %s
"""


def seed(url: str, org_id: int, contacts: int) -> int:
    """The list with everybody."""
    with connect(url, autocommit=True) as connection:
        connection.execute("set statement_timeout = 0")
        connection.execute(SEED, {"org": org_id, "contacts": contacts})
        row = connection.execute(LIST, [org_id]).fetchone()
        assert row is not None
        connection.execute(MEMBERS, [row[0], org_id])
        connection.execute("vacuum analyze contact")
        connection.execute("vacuum analyze segment_member")
        return int(row[0])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--contacts", type=int, default=1_000_000)
    arguments.add_argument("--calls", type=int, default=30)
    options = arguments.parse_args()
    chance = random.Random(7)
    with database() as url:
        org_id, key = organisation(url)
        list_id = seed(url, org_id, options.contacts)
        with web(__file__, url) as port, connect(url, autocommit=True) as direct:
            wire = Wire(port, key)
            wire.get("/api/v1/account/info")
            anybody = [chance.randrange(options.contacts) + 1 for _ in range(options.calls)]
            far = sorted(
                chance.randrange(options.contacts // 2, options.contacts - 500) for _ in range(options.calls)
            )
            bound = timed(
                options.calls,
                lambda n: direct.execute(
                    "select contact_id from contact where org_id = %s and contact_id > %s and deleted_at is null "
                    "order by contact_id limit 500",
                    [org_id, 100_000 + anybody[n]],
                ).fetchall(),
            )
            figures = {
                "bare SELECT of 500 ids by key": bound,
                "by external id": timed(
                    options.calls,
                    lambda n: wire.get(f"/api/v1/contacts?externalCustomerId=CRM-{anybody[n]}", 1),
                ),
                "by email": timed(
                    options.calls,
                    lambda n: wire.get(f"/api/v1/contacts?email=person-{anybody[n]}@example.com", 1),
                ),
                "by phone": timed(
                    options.calls, lambda n: wire.get(f"/api/v1/contacts?sms={380500000000 + anybody[n]}", 1)
                ),
                "by a rare last name, 200 hits": timed(
                    options.calls,
                    lambda n: wire.get(
                        f"/api/v1/contacts?lastname=Koval{1000 + anybody[n] % 4000}&maxrows=20", 20
                    ),
                ),
                "by a common first name, 125,000 hits": timed(
                    options.calls, lambda n: wire.get("/api/v1/contacts?firstname=Olena&maxrows=20", 20)
                ),
                "unfiltered, pages of 20, walked": timed(
                    options.calls,
                    lambda n: wire.get(f"/api/v1/contacts?maxrows=20&startindex={20 * n + 1}", 20),
                ),
                "unfiltered, first far page (plants marks)": timed(
                    1,
                    lambda n: wire.get(f"/api/v1/contacts?maxrows=20&startindex={options.contacts - 20}", 20),
                ),
                "unfiltered, any far page": timed(
                    options.calls, lambda n: wire.get(f"/api/v1/contacts?maxrows=20&startindex={far[n]}", 20)
                ),
                "export by id, pages of 500, walked": timed(
                    options.calls,
                    lambda n: wire.get(f"/api/v1/contacts?sortBy=contactId&startindex={500 * n + 1}", 500),
                ),
                "list of everybody, pages of 20, walked": timed(
                    options.calls,
                    lambda n: wire.get(
                        f"/api/v1/group/{list_id}/contacts?maxrows=20&startindex={20 * n + 1}", 20
                    ),
                ),
                "list, first far page (plants marks)": timed(
                    1,
                    lambda n: wire.get(
                        f"/api/v1/group/{list_id}/contacts?maxrows=20&startindex={options.contacts - 20}", 20
                    ),
                ),
                "list, any far page": timed(
                    options.calls,
                    lambda n: wire.get(
                        f"/api/v1/group/{list_id}/contacts?maxrows=20&startindex={far[n]}", 20
                    ),
                ),
                "list by joining, pages of 20, walked": timed(
                    options.calls,
                    lambda n: wire.get(
                        f"/api/v1/group/{list_id}/contacts?orderByTs=true&maxrows=20&startindex={20 * n + 1}",
                        20,
                    ),
                ),
            }
    report_times("read_contacts", figures)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve_here([])
    else:
        main()
