"""The old wire's lists of senders (contract 20.5, 20.6)."""

from __future__ import annotations

import msgspec

from perigee.esputnik.face import Call, Right, operation
from perigee.senders import store


class Interface(msgspec.Struct):
    type: str
    value: str


@operation(
    "GET",
    "/v1/interfaces/email",
    section="20.5",
    right=Right.GENERAL,
    answer=list[Interface],
    answer_example=[{"type": "email", "value": '"Example Shop" <news@example.com>'}],
)
async def list_email_interfaces(call: Call) -> list[Interface]:
    """List the confirmed email senders."""
    return await _interfaces(call, "email")


@operation(
    "GET",
    "/v1/interfaces/sms",
    section="20.6",
    right=Right.GENERAL,
    answer=list[Interface],
    answer_example=[{"type": "sms", "value": "EXAMPLE"}],
)
async def list_sms_interfaces(call: Call) -> list[Interface]:
    """List the confirmed SMS senders."""
    return await _interfaces(call, "sms")


async def _interfaces(call: Call, channel: str) -> list[Interface]:
    async with call.context.database.connection() as conn:
        found = await store.list_senders(conn, call.org_id, channel)
    return [Interface(sender.channel, sender.value) for sender in found]
