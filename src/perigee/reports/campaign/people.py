"""Everybody of a campaign and what became of them: page by page, and as one CSV file of any length."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final, NamedTuple

import msgspec

from perigee.campaigns.store import get_campaign
from perigee.db.pool import Connection, Database
from perigee.db.queries import load
from perigee.lib import csv_out
from perigee.reports.campaign.types import Person

q = load(__package__)

OUTCOMES: Final = ("sent", "failed", "dropped", "uncertain")
ENGAGED: Final = {
    "opened": ["READ", "CLICKED"],
    "clicked": ["CLICKED"],
    "unsubscribed": ["UNSUBSCRIBED"],
    "complained": ["SPAM"],
}
EXPORT_ROWS: Final = 5_000
COLUMNS: Final = tuple(field.name for field in msgspec.structs.fields(Person))


class Filter(NamedTuple):
    """`engaged`: a key of `ENGAGED`."""

    outcome: str | None = None
    reason: str | None = None
    domain: str | None = None
    address: str | None = None
    engaged: str | None = None


class Place(NamedTuple):
    """The row that a page begins behind."""

    send_id: int = 0
    ordinal: int = -1


async def people(
    connection: Connection,
    org_id: int,
    campaign_id: int,
    *,
    wanted: Filter = Filter(),  # noqa: B008  # immutable
    after: Place = Place(),  # noqa: B008
    limit: int = 100,
) -> list[Person]:
    """Lines of the ledger by send and ordinal. Raises NotFound."""
    await get_campaign(connection, org_id, campaign_id)
    cursor = await connection.execute(
        q.people,
        {
            "org_id": org_id,
            "campaign_id": campaign_id,
            "outcome": wanted.outcome,
            "reason": wanted.reason,
            "domain": wanted.domain,
            "address": wanted.address,
            "engaged": ENGAGED[wanted.engaged] if wanted.engaged else [],
            "send_id": after.send_id,
            "ordinal": after.ordinal,
            "limit": limit,
        },
    )
    return [Person(*row) for row in await cursor.fetchall()]


async def export(database: Database, org_id: int, campaign_id: int, wanted: Filter) -> AsyncIterator[bytes]:
    """The same as CSV for spreadsheets: a heading, then a line for each. No connection is held between the pieces, so a
    slow reader costs nothing."""
    yield (csv_out.BOM + "".join(csv_out.rows([COLUMNS]))).encode()
    after = Place()
    while True:
        async with database.connection() as connection:
            found = await people(
                connection, org_id, campaign_id, wanted=wanted, after=after, limit=EXPORT_ROWS
            )
        if found:
            yield "".join(csv_out.rows(msgspec.structs.astuple(one) for one in found)).encode()
        if len(found) < EXPORT_ROWS:
            return
        after = Place(found[-1].send_id, found[-1].ordinal)
