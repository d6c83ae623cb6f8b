"""A gateway's call to us, read into events. Signatures first: what is not signed rightly is not looked at."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

import msgspec

from perigee.delivery.channel import DeliveryEvent, EventType, ProviderRequest, Reason
from perigee.delivery.channels.http_gateway.gateway import Reports, read_event
from perigee.delivery.channels.http_gateway.templates import find, first
from perigee.errors import Invalid, Unauthorized
from perigee.lib.text import clean, shorten

MOST = 1000
"""Reports of one call."""
REFERENCE = "ref"
"""Member of the query that names the message, where the gateway has no place for our reference."""


def read_receipts(
    reports: Reports, request: ProviderRequest, *, url: str, secret: str, now: datetime
) -> list[DeliveryEvent]:
    """`url`: as the gateway knows it, without the query; `secret`: `GatewaySettings.signature_secret`. Raises
    Unauthorized and Invalid."""
    if secret:
        _check(reports.signature, request, url, secret)
    calls = _calls(reports, request)
    return [event for call in calls if (event := _event(reports, call, request, now)) is not None]


def _calls(reports: Reports, request: ProviderRequest) -> list[object]:
    match reports.body:
        case "query":
            return [dict(request.query)]
        case "form":
            return [dict(_form(request))]
    try:
        data = msgspec.json.decode(request.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Invalid("body: is not JSON", field="body") from None
    if not reports.items:
        return [data]
    for step in reports.items.split("."):
        data = data.get(step) if isinstance(data, dict) else None
    if not isinstance(data, list):
        raise Invalid.of("body", reports.items, "is not a list of reports")
    if len(data) > MOST:
        raise Invalid.of("body", str(len(data)), f"holds more than {MOST} reports")
    return data


def _event(reports: Reports, call: object, request: ProviderRequest, now: datetime) -> DeliveryEvent | None:
    mapped = reports.events.get(find(call, reports.status) or "")
    name = find(call, reports.id) if reports.id else None
    reference = (find(call, reports.reference) if reports.reference else None) or request.query.get(REFERENCE)
    if mapped is None or not (name or reference):
        return None
    type_, reason = read_event(mapped)
    if type_ is EventType.BOUNCED:
        error = find(call, reports.error) if reports.error else None
        reason = reports.errors.get(error or "", reason or Reason.UNCLASSIFIED)
    return DeliveryEvent(
        type=type_,
        at=_time(find(call, reports.at) if reports.at else None, now),
        iid=reference,
        provider_id=clean(name)[:200] if name else None,
        address=None,
        reason=reason,
        text=shorten(clean(first(call, reports.text) or ""), 500),
    )


def _time(text: str | None, now: datetime) -> datetime:
    """Never in the future: a gateway's clock is not ours."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return now
    return min(at if at.tzinfo else at.replace(tzinfo=UTC), now)


def _form(request: ProviderRequest) -> list[tuple[str, str]]:
    try:
        return parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=200)
    except ValueError:
        raise Invalid("body: is not a form", field="body") from None


def _check(kind: str, request: ProviderRequest, url: str, secret: str) -> None:
    match kind:
        case "twilio":
            right = _twilio(request, url, secret)
        case "vonage":
            right = _vonage(request, secret)
        case _:
            return
    if not right:
        raise Unauthorized("the signature is not right")


def _twilio(request: ProviderRequest, url: str, secret: str) -> bool:
    """HMAC-SHA1 over the address as Twilio called it and the sorted members of the form."""
    query = f"?{urlencode(request.query)}" if request.query else ""
    signed = url + query + "".join(name + value for name, value in sorted(_form(request)))
    wanted = base64.b64encode(hmac.digest(secret.encode(), signed.encode(), "sha1")).decode()
    return _equal(wanted, request.headers.get("x-twilio-signature", ""))


def _vonage(request: ProviderRequest, secret: str) -> bool:
    """A JWT (HS256) whose `payload_hash` is the body's SHA-256."""
    token = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    parts = token.split(".")
    if len(parts) != 3:
        return False
    try:
        header, claims = (msgspec.json.decode(_raw(part), type=dict[str, object]) for part in parts[:2])
    except (ValueError, msgspec.MsgspecError):
        return False
    mac = hmac.digest(secret.encode(), f"{parts[0]}.{parts[1]}".encode(), "sha256")
    wanted = base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
    body = hashlib.sha256(request.body).hexdigest()
    return (
        header.get("alg") == "HS256"
        and _equal(wanted, parts[2])
        and _equal(body, str(claims.get("payload_hash", "")))
    )


def _raw(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _equal(wanted: str, given: str) -> bool:
    return hmac.compare_digest(wanted.encode(), given.encode())
