"""The old wire's report of a push (contract 22.6)."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from perigee.esputnik.face import Answer, Call, Empty, Right, empty, operation
from perigee.push.interactions import report


class WireReport(msgspec.Struct):
    """`status`: DELIVERED, OPENED, CLICKED or UNDELIVERED. `time`: a date with time; now where it is absent."""

    token: Any = None
    status: Any = None
    time: Any = None


@operation(
    "PUT",
    "/v1/interactions/{interaction_id:str}/status",
    section="22.6",
    right=Right.GENERAL,
    body=WireReport,
    answer=Empty,
    example={"token": "fcm-token-1", "status": "DELIVERED", "time": "2026-05-04T15:11:17"},
)
async def report_interaction(call: Call) -> Answer:
    """An application reports that a push was delivered, opened or clicked; each is recorded once."""
    given = await call.json(WireReport)
    message = report.read_interaction(call.context.keys.message_ids, call.org_id, call.path["interaction_id"])
    one = report.clean(
        message,
        token=given.token,
        status=given.status,
        time=given.time,
        zone=ZoneInfo(call.principal.time_zone),
    )
    await call.context.group_commit(report.record).submit(call.org_id, one)
    return empty()
