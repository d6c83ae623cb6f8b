"""The old wire's method of App Inbox (contract 22.7)."""

from __future__ import annotations

from perigee.appinbox import identity, sessions
from perigee.appinbox.types import ContactToken, WireIdentity
from perigee.esputnik.face import Call, Right, operation


@operation(
    "POST",
    "/v1/auth/contact/token",
    section="22.7",
    right=Right.FULL,
    body=WireIdentity,
    answer=ContactToken,
    example={"email": "anna@example.com", "externalCustomerId": "CRM-1001"},
    answer_example={"token": "AekHocVcmwb_-5Py3kKx0QAAGbOSlXlmwYQmp0mTqu8"},
)
async def create_contact_token(call: Call) -> ContactToken:
    """Create an App Inbox token for a signed-in contact; an unknown one gets an empty token."""
    who = await call.json(WireIdentity)
    context = call.context
    async with context.database.transaction() as conn:
        contact_id = await identity.find(conn, call.org_id, who)
        if contact_id is None:
            return ContactToken("")
        return ContactToken(
            await sessions.begin(
                conn,
                context.keys.links,
                call.org_id,
                contact_id,
                seconds=context.settings.app_inbox_token_minutes * 60,
            )
        )
