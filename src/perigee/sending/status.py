"""How a message that was queued by a call has fared, in the words of its channel (contract 19.5)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from perigee.db.pool import Connection
from perigee.delivery.channel import Reason
from perigee.delivery.suppression import Drop
from perigee.lib.ids import message_uuid, read_message_uuid
from perigee.reports.history import REPORTED
from perigee.sending import store
from perigee.sending.store import State
from perigee.sending.types import MessageStatus

_DONE = ("SPAM", "UNSUBSCRIBED", "CLICKED", "READ")
"""What a recipient did, the most telling first."""
_SHOWN_DONE = {
    "email": _DONE,
    "viber": ("CLICKED", "READ"),
    "telegram": ("CLICKED",),
    "sms": (),
}
_EMAIL_DROPPED: dict[str, str] = {
    Drop.UNCONFIRMED: "NOT_CONFIRMED",
    Drop.UNSUBSCRIBED: "UNSUBSCRIBED",
    Drop.CATEGORY: "UNSUBSCRIBED",
    Drop.COMPLAINED: "SPAM",
    Drop.BLACKLISTED: "BLACKLISTED",
    Drop.BLOCKED: "UNDELIVERED",
}
_VIBER_FAILED: dict[str, str] = {
    Reason.NO_SUCH_RECIPIENT: "VIBER_UNKNOWN_USER",
    Reason.BAD_ADDRESS: "VIBER_UNKNOWN_USER",
    Reason.EXPIRED: "VIBER_EXPIRED_STATE",
}


_FAILED_LATER = ("UNDELIVERED", "SMS_UNDELIVERED_STATE", "VIBER_UNDELIVERED_STATE", "BOT_SEND_ERROR")
_ON_ITS_WAY = ("SENT", "PENDING")


def request_id(key: bytes, org_id: int, send_id: int, ordinal: int) -> str:
    """What a caller asks by: the fixed id of the message."""
    return str(message_uuid(key, org_id, send_id, ordinal))


async def statuses(
    conn: Connection, org_id: int, key: bytes, request_ids: Sequence[str]
) -> list[MessageStatus]:
    """In the order asked; ids that are not of this organisation's messages are left out. `key`: `Keys.message_ids`."""
    named: dict[str, tuple[int, int]] = {}
    for text in request_ids:
        try:
            message = read_message_uuid(key, org_id, uuid.UUID(text))
        except ValueError:
            continue
        if message is not None:
            named[text] = message
    if not named:
        return []
    found = await store.states(conn, org_id, list(dict.fromkeys(named.values())))
    return [_status(text, found[message]) for text, message in named.items() if message in found]


def _status(text: str, state: State) -> MessageStatus:
    word = status_word(state)
    failed = state.outcome in ("failed", "dropped") or word in _FAILED_LATER
    delivered = state.outcome == "sent" and not failed and word not in _ON_ITS_WAY
    return MessageStatus(word, text, failed=failed, delivered=delivered)


def status_word(state: State) -> str:
    """The channel's word. An outcome that nobody knows (the answer was lost) stays the word of waiting."""
    match state.outcome:
        case None:
            return "PENDING" if state.waiting and state.channel in ("sms", "viber") else "IN_QUEUE"
        case "uncertain":
            return "PENDING" if state.channel in ("sms", "viber") else "IN_QUEUE"
        case "sent":
            shown = _SHOWN_DONE.get(state.channel, ("CLICKED", "READ"))
            return next((done for done in shown if done in state.statuses), _accepted(state))
        case outcome:
            return _not_sent(state.channel, dropped=outcome == "dropped", reason=state.reason or "")


def _accepted(state: State) -> str:
    """Nothing was done with it yet. What the provider took counts as delivered, unless the provider or the application
    has the say (TRACKING 6.1: SENT until it reports) or reports that it came to nothing."""
    if "UNDELIVERED" in state.statuses:
        return _not_sent(state.channel, dropped=False, reason="")
    reported = state.channel in REPORTED or "SENT" in state.statuses
    if not reported or "DELIVERED" in state.statuses:
        return "DELIVERED"
    return "PENDING" if state.channel in ("sms", "viber") else "SENT"


def _not_sent(channel: str, *, dropped: bool, reason: str) -> str:
    match channel:
        case "email" if dropped:
            return _EMAIL_DROPPED.get(reason, "ERROR")
        case "email":
            return "ERROR" if reason == Reason.BAD_MESSAGE else "UNDELIVERED"
        case "sms":
            return "EXPIRED" if reason == Reason.EXPIRED else "SMS_UNDELIVERED_STATE"
        case "viber":
            return _VIBER_FAILED.get(reason, "VIBER_UNDELIVERED_STATE")
        case "telegram":
            return "BOT_SEND_ERROR"
        case _:
            return "UNDELIVERED"
