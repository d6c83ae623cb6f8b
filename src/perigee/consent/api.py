"""/api/v4: why people left, and what a person agreed to."""

from __future__ import annotations

import msgspec

from perigee.consent import store
from perigee.consent.types import ConsentEntry, UnsubscribeReason
from perigee.errors import NotFound
from perigee.http.v4 import PAGE, Call, Page, cursor_page, operation


@operation("GET", "/unsubscribe-reasons", answer=Page[UnsubscribeReason], query=PAGE)
async def list_unsubscribe_reasons(call: Call) -> Page[UnsubscribeReason]:
    """List what people said on leaving, newest first; who left without a word is not listed."""
    before, limit = cursor_page(call)
    async with call.context.database.connection() as connection:
        found = await store.unsubscribe_reasons(connection, call.org_id, before=before, rows=limit + 1)
    return Page(found[:limit], str(found[limit - 1].log_id) if len(found) > limit else msgspec.UNSET)


@operation(
    "GET", "/contacts/{contact_id:int}/consent", answer=Page[ConsentEntry], query=PAGE, refusals=(404,)
)
async def list_consent(call: Call) -> Page[ConsentEntry]:
    """List every change of a person's consent with its proof, newest first."""
    before, limit = cursor_page(call)
    async with call.context.database.connection() as connection:
        if not await store.contact_is_known(connection, call.org_id, call.path["contact_id"]):
            raise NotFound(f"Contact with id='{call.path['contact_id']}' is not found")
        found = await store.consent_history(
            connection, call.org_id, call.path["contact_id"], before=before, rows=limit + 1
        )
    return Page(found[:limit], str(found[limit - 1].log_id) if len(found) > limit else msgspec.UNSET)
