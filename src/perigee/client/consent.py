"""Why people left, and what they agreed to."""

from __future__ import annotations

from perigee.client.pages import cursor_list
from perigee.client.transport import Transport
from perigee.consent.types import ConsentEntry, UnsubscribeReason


async def unsubscribe_reasons(transport: Transport, *, limit: int | None = None) -> list[UnsubscribeReason]:
    """What people said on leaving, newest first."""
    return await cursor_list(transport, "/api/v4/unsubscribe-reasons", UnsubscribeReason, limit=limit)


async def consent_history(
    transport: Transport, contact_id: int, *, limit: int | None = None
) -> list[ConsentEntry]:
    """Every change of a person's consent with its proof, newest first."""
    return await cursor_list(transport, f"/api/v4/contacts/{contact_id}/consent", ConsentEntry, limit=limit)
