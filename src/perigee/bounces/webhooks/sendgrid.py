"""SendGrid's event webhook: an array of events, signed with ECDSA over the time and the body. The key is the public key
that SendGrid shows when signing is switched on (DER in base64)."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from perigee.bounces.meaning import why
from perigee.bounces.webhooks.told import (
    Told,
    hard,
    local_part,
    member,
    moment,
    parse,
    require_fresh,
    text_of,
)
from perigee.delivery.channel import EventType, ProviderRequest, Reason
from perigee.errors import Invalid, Unauthorized
from perigee.lib.outside import Outside


def check_key(key: str) -> str:
    text = "".join(line for line in key.split("\n") if not line.startswith("-----")).strip()
    _public(text)
    return text


def _public(key: str) -> ec.EllipticCurvePublicKey:
    try:
        found = load_der_public_key(base64.b64decode(key, validate=True))
    except (ValueError, TypeError, binascii.Error):
        found = None
    if not isinstance(found, ec.EllipticCurvePublicKey):
        raise Invalid.of("key", key[:80], "must be the verification key that SendGrid shows")
    return found


async def read(request: ProviderRequest, key: str, now: datetime, _: Outside) -> list[Told]:
    signature = request.headers.get("x-twilio-email-event-webhook-signature", "")
    seconds = request.headers.get("x-twilio-email-event-webhook-timestamp", "")
    try:
        _public(key).verify(
            base64.b64decode(signature, validate=True),
            seconds.encode() + request.body,
            ec.ECDSA(hashes.SHA256()),
        )
    except (InvalidSignature, binascii.Error, ValueError):
        raise Unauthorized("the signature is wrong") from None
    require_fresh(seconds, now)
    events = parse(request.body)
    if not isinstance(events, list):
        raise Invalid.of("body", "", "must be an array of events")
    return [told for event in events for told in _told(event, now)]


_DROPPED = {
    "bounced address": (Reason.NO_SUCH_RECIPIENT, None),
    "invalid": (Reason.BAD_ADDRESS, None),
    "spam reporting address": (Reason.DESTINATION_REFUSED, EventType.COMPLAINED),
    "unsubscribed address": (Reason.DESTINATION_REFUSED, EventType.UNSUBSCRIBED),
}


def _told(event: Any, now: datetime) -> list[Told]:
    names = (text_of(event, "perigee"), local_part(member(event, "smtp-id")))
    at = moment(member(event, "timestamp"), now)
    text = text_of(event, "reason") or text_of(event, "response")
    event_id = text_of(event, "sg_event_id") or None

    def told(kind: EventType, reason: Reason | None = None) -> Told:
        return Told(names, kind, at, text, reason, event_id)

    match text_of(event, "event"):
        case "delivered":
            return [told(EventType.DELIVERED)]
        case "deferred":
            return [told(EventType.DELAYED)]
        case "bounce":
            judge = why if text_of(event, "type") == "blocked" else hard
            return [told(EventType.BOUNCED, judge(text_of(event, "status"), text))]
        case "dropped":
            reason, also = _DROPPED.get(text.lower(), (Reason.DESTINATION_REFUSED, None))
            return [told(EventType.BOUNCED, reason), *([told(also)] if also else [])]
        case "spamreport":
            return [told(EventType.COMPLAINED)]
        case "unsubscribe" | "group_unsubscribe":
            return [told(EventType.UNSUBSCRIBED)]
        case _:
            return []
