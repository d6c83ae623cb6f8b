"""What applications report of pushes they got: delivered, opened, clicked (contract 22.6).

The interaction id is the message's `iid`, which came with the push as `es_interaction_id` and cannot be guessed. Each
status of a message is recorded once, however often it is reported; the ledger keeps its one line.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from perigee.db import plans
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.errors import Invalid, NotFound
from perigee.lib.dates import to_moment
from perigee.lib.ids import read_message_uuid
from perigee.lib.scalars import to_text
from perigee.segments import kinds
from perigee.segments.live.notes import changed

q = load(__package__)

STATUSES = {
    "DELIVERED": "DELIVERED",
    "OPENED": "READ",
    "CLICKED": "CLICKED",
    "UNDELIVERED": "UNDELIVERED",
}
"""The report's word → the status of the activity."""


@dataclass(frozen=True, slots=True)
class Report:
    """`token`: of the device or browser that got the message. `happened_at` None: now."""

    send_id: int
    ordinal: int
    token: str
    status: str
    happened_at: datetime | None = None


def read_interaction(key: bytes, org_id: int, text: str) -> tuple[int, int]:
    """(send_id, ordinal) of an interaction id; `key` is `Keys.message_ids`. Raises NotFound for what we did not make."""
    try:
        found = read_message_uuid(key, org_id, uuid.UUID(text))
    except ValueError:
        found = None
    if found is None:
        raise unknown()
    return found


def clean(
    message: tuple[int, int], *, token: object, status: object, time: object = None, zone: tzinfo
) -> Report:
    """Raises Invalid. `zone`: of a time without an offset."""
    token = to_text("token", token)
    if token is None:
        raise Invalid("token: is required", field="token")
    word = to_text("status", status)
    if word is None:
        raise Invalid("status: is required", field="status")
    if word.upper() not in STATUSES:
        raise Invalid.of("status", word, "is not one of " + ", ".join(STATUSES))
    return Report(*message, token, STATUSES[word.upper()], to_moment("time", time, zone))


async def record(conn: Connection, org_id: int, reports: Sequence[Report]) -> list[Exception | None]:
    """A set of reports in one transaction, for group commit: None, or NotFound where message and token do not belong
    together."""
    await plans.by_key(conn)
    await conn.execute(q.lock_reports, {"org_id": org_id})
    cursor = await conn.execute(
        q.messages_reported,
        {
            "org_id": org_id,
            "sends": [one.send_id for one in reports],
            "ordinals": [one.ordinal for one in reports],
            "tokens": [one.token for one in reports],
        },
    )
    found = {n - 1: facts for n, *facts in await cursor.fetchall()}
    first: dict[tuple[int, int, str], int] = {}
    for n in sorted(found):
        first.setdefault((reports[n].send_id, reports[n].ordinal, reports[n].status), n)
    new = list(first.values())
    await conn.execute(
        q.record_reports,
        {
            "org_id": org_id,
            "sends": [reports[n].send_id for n in new],
            "ordinals": [reports[n].ordinal for n in new],
            "contacts": [found[n][0] for n in new],
            "channels": [found[n][1] for n in new],
            "statuses": [reports[n].status for n in new],
            "starts": [found[n][2] for n in new],
            "times": [reports[n].happened_at for n in new],
        },
    )
    await changed(conn, org_id, [found[n][0] for n in new], kinds.ACTIVITY)
    return [None if n in found else unknown() for n in range(len(reports))]


def unknown() -> NotFound:
    """The same for an id that is not ours and for a token that does not fit."""
    return NotFound("The interaction of this token is not found")
