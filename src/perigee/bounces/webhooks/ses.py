"""Amazon SES through SNS: notifications and published events. SNS signs with the key of a certificate that is fetched
from Amazon's own host; the key of the intake is the ARN of the topic, because anybody may have a topic of their own."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

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
from perigee.lib.outside import Limits, Outside

log = structlog.get_logger()

_ARN: Final = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]{1,30}:\d{12}:[A-Za-z0-9_.-]{1,256}")
_HOST: Final = re.compile(r"sns\.[a-z0-9-]{3,30}\.amazonaws\.com(\.cn)?")
_SIGNED: Final = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_LIMITS: Final = Limits(size=65_536, total=15.0, idle=10.0)
_certificates: dict[str, x509.Certificate] = {}


def check_key(key: str) -> str:
    if not _ARN.fullmatch(key.strip()):
        raise Invalid.of("key", key[:80], "must be the ARN of the SNS topic")
    return key.strip()


async def read(request: ProviderRequest, key: str, now: datetime, outside: Outside) -> list[Told]:
    envelope = parse(request.body)
    kind = text_of(envelope, "Type")
    if text_of(envelope, "TopicArn") != key:
        raise Unauthorized("another topic")
    await _require_signature(envelope, now, outside)
    at = moment(text_of(envelope, "Timestamp"), now)
    require_fresh(str(_seconds(envelope)), now)
    if kind == "SubscriptionConfirmation":
        await _confirm(str(member(envelope, "SubscribeURL")), outside)
        return []
    if kind != "Notification":
        return []
    message = member(envelope, "Message")
    event = parse(message.encode()) if isinstance(message, str) else {}
    return [told._replace(event_id=text_of(envelope, "MessageId") or None) for told in _told(event, at)]


def _seconds(envelope: Any) -> float:
    try:
        return datetime.fromisoformat(text_of(envelope, "Timestamp")).timestamp()
    except ValueError:
        raise Unauthorized("the call names no time") from None


async def _require_signature(envelope: Any, now: datetime, outside: Outside) -> None:
    if not isinstance(envelope, Mapping):
        raise Invalid.of("body", "", "must be an object")
    algorithm: hashes.HashAlgorithm = (
        hashes.SHA1() if text_of(envelope, "SignatureVersion") == "1" else hashes.SHA256()  # noqa: S303  # their choice
    )
    present = [name for name in _SIGNED if isinstance(envelope.get(name), str)]
    if envelope.get("Type") == "Notification":
        present = [name for name in present if name not in ("SubscribeURL", "Token")]
    else:
        present = [name for name in present if name != "Subject"]
    signed = "".join(f"{name}\n{envelope[name]}\n" for name in present).encode("utf-8", "replace")
    certificate = await _certificate(str(member(envelope, "SigningCertURL")), outside)
    public = certificate.public_key()
    if not isinstance(public, rsa.RSAPublicKey):
        raise Unauthorized("the certificate is none of SNS")
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise Unauthorized("the certificate is not valid now")
    try:
        signature = base64.b64decode(str(member(envelope, "Signature")), validate=True)
        public.verify(signature, signed, padding.PKCS1v15(), algorithm)
    except (InvalidSignature, binascii.Error, ValueError):
        raise Unauthorized("the signature is wrong") from None


async def _certificate(url: str, outside: Outside) -> x509.Certificate:
    """From Amazon's host only, and kept: there are a few, each for years."""
    found = _certificates.get(url)
    if found is not None:
        return found
    _require_amazon(url, ".pem")
    async with outside.request("GET", url, limits=_LIMITS, field="SigningCertURL") as reply:
        reply.require_ok()
        raw = await reply.read()
    try:
        found = x509.load_pem_x509_certificate(raw)
    except ValueError:
        raise Unauthorized("the certificate cannot be read") from None
    if len(_certificates) > 50:
        _certificates.clear()
    _certificates[url] = found
    return found


def _require_amazon(url: str, ending: str = "") -> None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Unauthorized("the address is none of SNS") from None
    plain = parts.netloc == host and port is None and parts.path.endswith(ending)
    if parts.scheme != "https" or not plain or not _HOST.fullmatch(host):
        raise Unauthorized("the address is none of SNS")


async def _confirm(url: str, outside: Outside) -> None:
    """Answers SNS that its calls are welcome; the call was signed and is of the topic we were given."""
    _require_amazon(url)
    async with outside.request("GET", url, limits=_LIMITS, field="SubscribeURL") as reply:
        reply.require_ok()
    log.info("subscribed to a topic of SNS")


_TRANSIENT: Final = {
    "MailboxFull": Reason.MAILBOX_FULL,
    "MessageTooLarge": Reason.TOO_LARGE,
    "ContentRejected": Reason.SPAM_CONTENT,
    "AttachmentRejected": Reason.SPAM_CONTENT,
}


def _told(event: Any, at: datetime) -> list[Told]:
    tags = member(event, "mail", "tags", "perigee")
    names = (
        tags[0] if isinstance(tags, list) and tags and isinstance(tags[0], str) else "",
        local_part(member(event, "mail", "commonHeaders", "messageId")),
        *(local_part(value) for value in _headers(event, "message-id")),
    )
    match text_of(event, "eventType") or text_of(event, "notificationType"):
        case "Delivery":
            return [Told(names, EventType.DELIVERED, at)]
        case "DeliveryDelay":
            return [Told(names, EventType.DELAYED, at)]
        case "Bounce":
            return _bounce(member(event, "bounce"), names, at)
        case "Complaint":
            if text_of(event, "complaint", "complaintFeedbackType") == "not-spam":
                return []
            feedback = text_of(event, "complaint", "complaintFeedbackType")
            return [Told(names, EventType.COMPLAINED, at, feedback)]
        case "Subscription":
            return [Told(names, EventType.UNSUBSCRIBED, at)]
        case "Reject":
            return [
                Told(names, EventType.BOUNCED, at, text_of(event, "reject", "reason"), Reason.SPAM_CONTENT)
            ]
        case _:
            return []


def _bounce(bounce: Any, names: tuple[str, ...], at: datetime) -> list[Told]:
    recipients = member(bounce, "bouncedRecipients")
    first = recipients[0] if isinstance(recipients, list) and recipients else {}
    status, text = text_of(first, "status"), text_of(first, "diagnosticCode").removeprefix("smtp; ")
    kind, sub = text_of(bounce, "bounceType"), text_of(bounce, "bounceSubType")
    if kind == "Permanent":
        reason = hard(status, text)
    elif sub in _TRANSIENT:
        reason = _TRANSIENT[sub]
    elif not status and not text:
        return []  # automatic answers come as such
    else:
        reason = why(status, text)
    return [Told(names, EventType.BOUNCED, at, text or f"{kind} {sub}".strip(), reason)]


def _headers(event: Any, name: str) -> list[str]:
    found = member(event, "mail", "headers")
    if not isinstance(found, list):
        return []
    return [text_of(one, "value") for one in found[:200] if text_of(one, "name").lower() == name]
