"""What recipients did, in the order in which it was recorded (contract 11.3).

The feed is read forward with a cursor. A page ends before the oldest row that some transaction may still be writing, so
whoever goes on from the last row they saw gets every row exactly once, however many writers there are. Hits of machines
(scanners, prefetching) are no deeds of recipients and stay out, as in all reports.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from perigee.db import plans
from perigee.db.pool import Connection
from perigee.reports import store
from perigee.reports.cursor import Place
from perigee.reports.period import Period
from perigee.reports.store import ContactFacts, Happening, MessageFacts, SendFacts

STATUSES = (
    "DELIVERED",
    "UNDELIVERED",
    "READ",
    "UNSUBSCRIBED",
    "CLICKED",
    "SPAM",
    "SENT",
    "SUBSCRIPTION_CHANGED",
)


@dataclass(frozen=True, slots=True)
class SentTo:
    """An address or token in its normal form, and the channels on which messages go to it. `kind`: `email`, `phone` or
    `token`."""

    kind: str
    address: str
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Filters:
    """All of them hold together."""

    addresses: tuple[SentTo, ...] = ()
    tag: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """`sends`, `messages` by (send_id, ordinal) and `contacts` tell of `rows`; what is gone is missing there."""

    rows: Sequence[Happening]
    sends: Mapping[int, SendFacts]
    messages: Mapping[tuple[int, int], MessageFacts]
    contacts: Mapping[int, ContactFacts]


async def read_activity(
    conn: Connection, org_id: int, period: Period, filters: Filters, *, after: Place | None, rows: int
) -> Page:
    """The rows of the period behind `after`, the oldest first. Wants a transaction of its own."""
    return await _describe(conn, org_id, await _find(conn, org_id, period, filters, after, rows))


async def _find(
    conn: Connection, org_id: int, period: Period, filters: Filters, after: Place | None, rows: int
) -> list[Happening]:
    until = min(period.end, await store.settled_until(conn))
    place = max(Place(period.start, -1), after or Place(period.start, -1))
    sends: list[int] | None = None
    if filters.tag is not None:
        sends, began = await store.sends_with_tag(conn, org_id, filters.tag, until)
        if began is None:
            return []
        place = max(place, Place(began, -1))
    if len(filters.addresses) > 1:
        return []  # no message has two
    if not filters.addresses:
        return await store.activity(
            conn, org_id, after=place, until=until, status=filters.status, sends=sends, rows=rows
        )
    (to,) = filters.addresses
    await plans.by_key(conn)
    contacts = await store.contacts_of_address(conn, org_id, to.kind, to.address)
    if not contacts:
        return []
    return await store.activity_of_contacts(
        conn,
        org_id,
        contacts,
        address=to.address,
        channels=to.channels,
        after=place,
        until=until,
        status=filters.status,
        sends=sends,
        rows=rows,
    )


async def _describe(conn: Connection, org_id: int, rows: Sequence[Happening]) -> Page:
    if not rows:
        return Page([], {}, {}, {})
    sends, messages, contacts = await store.describe(
        conn,
        org_id,
        sends=sorted({row.send_id for row in rows}),
        messages=sorted({(row.send_id, row.ordinal) for row in rows}),
        contacts=sorted({row.contact_id for row in rows}),
    )
    return Page(rows, sends, messages, contacts)
