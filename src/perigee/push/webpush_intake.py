"""What a browser says about its subscription, checked (protocols 2.8): it is public input. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from perigee.errors import Invalid
from perigee.lib.languages import normal_language
from perigee.lib.scalars import to_id, to_text
from perigee.lib.tokens import InvalidToken, decode
from perigee.lib.urls import parse_http_url
from perigee.push import user_agent
from perigee.push.vapid import point
from perigee.push.webpush_types import Browser, PushSite, Subscription, SubscriptionIn
from perigee.site.intake import VISITOR_LENGTH
from perigee.site.values import location

TOKEN_LENGTH = 300
ENDPOINT_LENGTH = 2000
AUTH_BYTES = 16


def subscription(
    body: SubscriptionIn, site: PushSite, *, services: Sequence[str], agent: str, address: str
) -> Subscription:
    """`services`: hosts that may be named (`Settings.push_services`). Raises Invalid."""
    return Subscription(
        app_id=site.app_id,
        endpoint=_endpoint(body.subscription.endpoint, services),
        p256dh=_p256dh(body.subscription.keys.p256dh),
        auth=_auth(body.subscription.keys.auth),
        browser=_browser(body, agent, address),
        visitor_id=to_text("visitor", body.visitor, limit=VISITOR_LENGTH),
        contact_id=_contact_id(body.contact_id),
        replaces=to_text("replaces", body.replaces, limit=TOKEN_LENGTH),
    )


def is_service(host: str, services: Sequence[str]) -> bool:
    """`*.push.apple.com` stands for every name below it. Pure."""
    return any(
        host.endswith(service[1:]) if service.startswith("*.") else host == service for service in services
    )


def _endpoint(text: str, services: Sequence[str]) -> str:
    url = parse_http_url(text)
    if (
        url is None
        or url.scheme != "https"
        or url.explicit_port not in (None, 443)
        or len(text) > ENDPOINT_LENGTH
    ):
        raise Invalid.of("subscription.endpoint", text, "is not an https address")
    if not is_service(url.raw_host or "", services):
        raise Invalid.of("subscription.endpoint", url.raw_host, "is not a push service that we know")
    return str(url)


def _p256dh(text: str) -> bytes:
    found = point(text)
    if found is None:
        raise Invalid.of("subscription.keys.p256dh", text, "is not a public key on P-256 in base64url")
    return found


def _auth(text: str) -> bytes:
    try:
        raw = decode(text.rstrip("="))
    except InvalidToken:
        raw = b""
    if len(raw) != AUTH_BYTES:
        raise Invalid("subscription.keys.auth: must be 16 bytes in base64url", field="subscription.keys.auth")
    return raw


def _browser(body: SubscriptionIn, agent: str, address: str) -> Browser:
    known = user_agent.parse(agent)
    return Browser(
        user_agent=known.browser,
        user_agent_version=known.version,
        user_agent_language=language(body.language),
        os=known.os,
        ip=address or None,
        subscription_page=location(body.page),
        sw_active_version=to_text("workerVersion", body.worker_version, limit=40),
    )


def language(value: Any) -> str | None:
    """Of the browser; one that is none is passed over."""
    return normal_language(value) if isinstance(value, str) else None


def _contact_id(value: Any) -> int | None:
    """From a link; what is no id is passed over."""
    try:
        return to_id("contactId", value)
    except Invalid:
        return None
