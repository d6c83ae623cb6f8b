"""One report about one message, in our words."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Final

import msgspec

from perigee.delivery.channel import DeliveryEvent, EventType, Reason
from perigee.lib.ids import read_message_uuid

MANY: Final = frozenset({EventType.READ, EventType.CLICKED, EventType.REPLIED})
"""A message has any number of these, told apart by the provider's id of the event; of the others one each."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Names its message by (`send_id`, `ordinal`), or by our provider row and the provider's id of the message
    (`provider_id`, `message_id`); where all four are known, both. `text` is the provider's words, of a click the
    target. `reason` says why a message BOUNCED, and so what follows for the address."""

    type: EventType
    at: datetime
    send_id: int | None = None
    ordinal: int | None = None
    provider_id: int | None = None
    message_id: str | None = None
    reason: Reason | None = None
    text: str = ""
    event_id: str | None = None

    @property
    def key(self) -> str:
        """What makes it one report: the same key again is the same report."""
        return (self.event_id or "")[:200] if self.type in MANY else ""


def report_of(event: DeliveryEvent, org_id: int, provider_id: int | None, key: bytes) -> Report:
    """`key`: `Keys.message_ids`, which reads the fixed ids of our messages back; an id that is not ours is no name."""
    named = _message(key, org_id, event.iid)
    return Report(
        type=event.type,
        at=event.at,
        send_id=named[0] if named else None,
        ordinal=named[1] if named else None,
        provider_id=provider_id if event.provider_id else None,
        message_id=event.provider_id,
        reason=event.reason,
        text=event.text,
        event_id=event.provider_event_id,
    )


def _message(key: bytes, org_id: int, iid: str | None) -> tuple[int, int] | None:
    try:
        return read_message_uuid(key, org_id, uuid.UUID(iid or ""))
    except ValueError:
        return None
