"""Postmark's webhooks: one record a call. They are not signed: the call carries the name and password that stand in the
address given to Postmark (HTTP basic). The key is that password; any name is taken."""

from __future__ import annotations

import base64
import binascii
import hmac
from datetime import datetime
from typing import Any

from perigee.bounces.meaning import why
from perigee.bounces.webhooks.told import Told, hard, member, moment, parse, text_of
from perigee.delivery.channel import EventType, ProviderRequest, Reason
from perigee.errors import Invalid, Unauthorized
from perigee.lib.outside import Outside


def check_key(key: str) -> str:
    if len(key) < 16 or not key.isalnum() or not key.isascii():
        raise Invalid.of("key", "", "must be a password of 16 letters and digits or more, chosen by chance")
    return key


async def read(request: ProviderRequest, key: str, now: datetime, _: Outside) -> list[Told]:
    if not hmac.compare_digest(_password(request.headers.get("authorization", "")), key.encode()):
        raise Unauthorized("the password is wrong")
    record = parse(request.body)
    told = _read(record)
    if told is None:
        return []
    kind, reason = told
    at = next((v for name in ("BouncedAt", "DeliveredAt", "ChangedAt") if (v := member(record, name))), "")
    event_id = f"{member(record, 'RecordType')}/{member(record, 'ID') or member(record, 'MessageID')}"[:200]
    names = (text_of(record, "Metadata", "perigee"),)
    return [Told(names, kind, moment(at, now), _words(record), reason, event_id)]


def _password(header: str) -> bytes:
    scheme, _, value = header.partition(" ")
    try:
        pair = base64.b64decode(value, validate=True) if scheme.lower() == "basic" else b""
    except (binascii.Error, ValueError):
        return b""
    return pair.partition(b":")[2]


def _words(record: Any) -> str:
    return text_of(record, "Details") or text_of(record, "Description")


_NOTHING = {
    "Transient",
    "AutoResponder",
    "AddressChange",
    "Subscribe",
    "ChallengeVerification",
    "OpenRelayTest",
}
_BOUNCES = {
    "BadEmailAddress": Reason.BAD_ADDRESS,
    "Blocked": Reason.BLOCKED,
    "SpamNotification": Reason.SPAM_CONTENT,
    "VirusNotification": Reason.SPAM_CONTENT,
    "ManuallyDeactivated": Reason.DESTINATION_REFUSED,
    "DMARCPolicy": Reason.SENDER_SETUP,
}


def _read(record: Any) -> tuple[EventType, Reason | None] | None:
    kind = text_of(record, "Type")
    match text_of(record, "RecordType"):
        case "Delivery":
            return EventType.DELIVERED, None
        case "SpamComplaint":
            return EventType.COMPLAINED, None
        case "SubscriptionChange" if member(record, "SuppressSending") is True:
            # Bounces and complaints come as records of their own.
            left = text_of(record, "SuppressionReason") == "ManualSuppression"
            return (EventType.UNSUBSCRIBED, None) if left else None
        case "Bounce" if kind == "SpamComplaint":
            return EventType.COMPLAINED, None
        case "Bounce" if kind == "Unsubscribe":
            return EventType.UNSUBSCRIBED, None
        case "Bounce" if kind in _NOTHING:
            return None
        case "Bounce" if kind == "HardBounce":
            return EventType.BOUNCED, hard("", _words(record))
        case "Bounce" if kind == "SoftBounce":
            reason = why("", _words(record))
            return EventType.BOUNCED, Reason.MAILBOX_FULL if reason is Reason.UNCLASSIFIED else reason
        case "Bounce":
            return EventType.BOUNCED, _BOUNCES.get(kind) or why("", _words(record))
        case _:
            return None
