"""/api/v4/sending-rules: what holds for all marketing messages of an organisation."""

from __future__ import annotations

from perigee.campaigns import rules
from perigee.delivery.rules import SendingRules
from perigee.http.v4 import Call, operation

EXAMPLE = {
    "hours": {"sms": {"start": "08:00", "end": "21:00", "days": [1, 2, 3, 4, 5, 6]}},
    "caps": {"email": [{"count": 3, "days": 7, "beyond": "delay"}]},
    "annoyance": {"email": {"daily": 2, "weekly": 5}},
    "strategy": [{"days": {"sale": [1, 5]}}],
    "approval": False,
}


@operation("GET", "/sending-rules", answer=SendingRules)
async def get_sending_rules(call: Call) -> SendingRules:
    """Show the rules for sending."""
    async with call.context.database.connection() as connection:
        return (await rules.read(connection, call.org_id))[0]


@operation("PUT", "/sending-rules", body=SendingRules, answer=SendingRules, example=EXAMPLE)
async def put_sending_rules(call: Call) -> SendingRules:
    """Replace the rules for sending; what is absent is no rule. Running sends follow within five minutes."""
    wanted = await call.json(SendingRules)
    async with call.context.database.transaction() as connection:
        return await rules.write(connection, call.org_id, wanted)
