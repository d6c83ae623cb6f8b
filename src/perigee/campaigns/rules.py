"""The organisation's sending rules as campaigns need them, and how they are changed."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import msgspec

from perigee.accounts import store as accounts
from perigee.campaigns import store
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.delivery.rules import SETTING, SendingRules, check, of_stored
from perigee.errors import Invalid
from perigee.lib.text import clean_json

q = load(__package__)


async def read(connection: Connection, org_id: int) -> tuple[SendingRules, ZoneInfo]:
    """The rules, and the organisation's time zone."""
    row = await (await connection.execute(q.sending_rules, {"org_id": org_id})).fetchone()
    assert row is not None
    return of_stored(row[1]), ZoneInfo(row[0])


async def write(connection: Connection, org_id: int, wanted: SendingRules) -> SendingRules:
    """Replaces all of them. Sends that run follow within five minutes. Raises Invalid."""
    wanted = msgspec.convert(clean_json(msgspec.to_builtins(wanted)), SendingRules)
    check(wanted)
    named = [row.segment_id for row in wanted.strategy if row.segment_id is not None]
    if missing := await store.missing_segments(connection, org_id, named):
        raise Invalid.of("strategy", missing[0], "is not a segment of this organisation")
    stored = msgspec.to_builtins(wanted)
    await accounts.update_organisation(connection, org_id, {}, {SETTING: stored})
    return wanted
