"""Mailgun's webhooks: one event a call; the signature in the body is an HMAC-SHA256 over time and token. The key is the
HTTP webhook signing key."""

from __future__ import annotations

import hmac
from datetime import datetime

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
    if len(key.strip()) < 16:
        raise Invalid.of("key", "", "must be Mailgun's HTTP webhook signing key")
    return key.strip()


_SUPPRESSED = {
    "suppress-bounce": (Reason.NO_SUCH_RECIPIENT, None),
    "suppress-complaint": (Reason.DESTINATION_REFUSED, EventType.COMPLAINED),
    "suppress-unsubscribe": (Reason.DESTINATION_REFUSED, EventType.UNSUBSCRIBED),
}


async def read(request: ProviderRequest, key: str, now: datetime, _: Outside) -> list[Told]:
    body = parse(request.body)
    seconds, token = (text_of(body, "signature", name) for name in ("timestamp", "token"))
    seconds = seconds or str(member(body, "signature", "timestamp"))
    expected = hmac.new(key.encode(), (seconds + token).encode(), "sha256").hexdigest()
    given = text_of(body, "signature", "signature")
    if not token or not hmac.compare_digest(expected.encode(), given.encode()):
        raise Unauthorized("the signature is wrong")
    require_fresh(seconds, now)
    event = member(body, "event-data")
    names = (
        text_of(event, "user-variables", "perigee"),
        local_part(member(event, "message", "headers", "message-id")),
    )
    at = moment(member(event, "timestamp"), now)
    event_id = text_of(event, "id") or None
    status = text_of(event, "delivery-status", "enhanced-code")
    code = member(event, "delivery-status", "code")
    text = text_of(event, "delivery-status", "message") or text_of(event, "delivery-status", "description")

    def told(kind: EventType, reason: Reason | None = None) -> Told:
        return Told(names, kind, at, text, reason, event_id)

    match text_of(event, "event"):
        case "delivered":
            return [told(EventType.DELIVERED)]
        case "failed" if text_of(event, "severity") == "temporary":
            return [told(EventType.DELAYED)]
        case "failed":
            usual = hard(status, text, code if isinstance(code, int) and 400 <= code < 600 else 0)
            reason, also = _SUPPRESSED.get(text_of(event, "reason"), (usual, None))
            return [told(EventType.BOUNCED, reason), *([told(also)] if also else [])]
        case "rejected":
            return [told(EventType.BOUNCED, Reason.DESTINATION_REFUSED)]
        case "complained":
            return [told(EventType.COMPLAINED)]
        case "unsubscribed":
            return [told(EventType.UNSUBSCRIBED)]
        case _:
            return []
