"""Typed access to what people agreed to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from perigee.consent.types import ConsentEntry, UnsubscribeReason
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.messages.links import Recipient
from perigee.segments import kinds
from perigee.segments.live.notes import addresses_changed, changed

q = load(__package__)


class ConfirmationSettings(NamedTuple):
    """`mail`: we send one; `message_id` 0: the built-in one; `redirect` '': our page of thanks."""

    language: str
    mail: bool
    message_id: int
    redirect: str


async def languages(connection: Connection, org_id: int, contact_id: int) -> tuple[str, str | None, str]:
    """(the organisation's name, the person's language, the organisation's)."""
    cursor = await connection.execute(q.languages, {"org_id": org_id, "contact_id": contact_id})
    row = await cursor.fetchone()
    return row or ("", None, "en")


async def choices(
    connection: Connection, org_id: int, contact_id: int, named: Mapping[str, str]
) -> tuple[list[Any], dict[str, Any], dict[str, bool]] | None:
    """(categories as [key, name, on], kind → [address, on], kind of token → on); None for a person who is gone."""
    cursor = await connection.execute(
        q.choices,
        {
            "org_id": org_id,
            "contact_id": contact_id,
            "email": named.get("email"),
            "phone": named.get("phone"),
        },
    )
    return await cursor.fetchone()


async def grant(
    connection: Connection,
    org_id: int,
    kind: str,
    value: str,
    recipient: Recipient,
    *,
    action: str,
    source: str,
    detail: Mapping[str, str],
) -> bool:
    """Whether anything kept marketing from the address before."""
    cursor = await connection.execute(
        q.grant_address,
        {
            "org_id": org_id,
            "kind": kind,
            "value": value,
            "contact_id": recipient.contact_id,
            "send_id": recipient.send_id,
            "action": action,
            "source": source,
            "detail": msgspec.json.encode(detail).decode(),
        },
    )
    granted = await cursor.fetchone() is not None
    if granted:
        await addresses_changed(connection, org_id, [(kind, value)])
    return granted


async def set_tokens(
    connection: Connection,
    org_id: int,
    recipient: Recipient,
    wanted: Mapping[str, bool],
    *,
    source: str,
    reason: str | None,
    detail: Mapping[str, str],
) -> None:
    if wanted:
        await connection.execute(
            q.set_tokens,
            {
                "org_id": org_id,
                "contact_id": recipient.contact_id,
                "send_id": recipient.send_id,
                "kinds": list(wanted),
                "actives": list(wanted.values()),
                "source": source,
                "reason": reason,
                "detail": msgspec.json.encode(detail).decode(),
            },
        )
        await changed(connection, org_id, [recipient.contact_id], kinds.TOKENS)


async def confirmation_settings(connection: Connection, org_id: int) -> ConfirmationSettings:
    cursor = await connection.execute(q.confirmation_settings, {"org_id": org_id})
    row = await cursor.fetchone()
    assert row is not None
    return ConfirmationSettings(*row)


async def claim_confirmations(
    connection: Connection, org_id: int, contact_ids: Sequence[int], *, hours: int
) -> list[int]:
    """Contacts to ask now."""
    cursor = await connection.execute(
        q.claim_confirmations, {"org_id": org_id, "contact_ids": list(contact_ids), "hours": hours}
    )
    return [contact_id for (contact_id,) in await cursor.fetchall()]


async def unsubscribe_reasons(
    connection: Connection, org_id: int, *, before: int, rows: int
) -> list[UnsubscribeReason]:
    """`before`: `log_id` of the last row of the page before, 0 for the first page."""
    cursor = await connection.execute(
        q.unsubscribe_reasons, {"org_id": org_id, "before": before, "rows": rows}
    )
    return [UnsubscribeReason(*row) for row in await cursor.fetchall()]


async def contact_is_known(connection: Connection, org_id: int, contact_id: int) -> bool:
    """Also one that was deleted softly."""
    cursor = await connection.execute(q.contact_is_known, {"org_id": org_id, "contact_id": contact_id})
    return await cursor.fetchone() is not None


async def consent_history(
    connection: Connection, org_id: int, contact_id: int, *, before: int, rows: int
) -> list[ConsentEntry]:
    cursor = await connection.execute(
        q.consent_history, {"org_id": org_id, "contact_id": contact_id, "before": before, "rows": rows}
    )
    return [ConsentEntry(*row) for row in await cursor.fetchall()]
