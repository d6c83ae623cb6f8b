"""Types of web push that cross the borders of its modules."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import msgspec

from perigee.lib.tokens import encode


class PushSite(NamedTuple):
    """A web-push domain as its scripts know it."""

    org_id: int
    app_id: int
    domain: str
    """With its scheme."""
    worker_name: str
    worker_path: str
    worker_scope: str
    key: str | None
    """The public VAPID key, base64url; None until the scripts were asked for."""


class WebPushScript(msgspec.Struct, rename="camel"):
    script: str
    """HTML for the pages."""
    service_worker: str
    """Content of the worker's file."""


class Browser(msgspec.Struct, frozen=True, rename="camel"):
    """Members of `webPushSubscription` (contract 7.1) that a request tells."""

    user_agent: str | None = None
    user_agent_version: str | None = None
    user_agent_language: str | None = None
    os: str | None = None
    ip: str | None = None
    subscription_page: str | None = None
    sw_active_version: str | None = None

    def device(self) -> dict[str, Any]:
        members: dict[str, Any] = msgspec.to_builtins(self)
        return {name: value for name, value in members.items() if value}


class Subscription(NamedTuple):
    """A browser's subscription, checked."""

    app_id: int
    endpoint: str
    p256dh: bytes
    auth: bytes
    browser: Browser
    visitor_id: str | None = None
    contact_id: int | None = None
    """From a link in a message that led to the site."""
    replaces: str | None = None
    """The token of the subscription that the browser had before."""

    @property
    def token(self) -> str:
        return token_of(self.endpoint)


def token_of(endpoint: str) -> str:
    """The token of a subscription: the address itself is a secret that allows to send (RFC 8030, 8.1). 43 characters."""
    return encode(hashlib.sha256(endpoint.encode()).digest())


class SubscriptionKeys(msgspec.Struct):
    p256dh: str
    auth: str


class BrowserSubscription(msgspec.Struct):
    """What `PushSubscription.toJSON()` gives."""

    endpoint: str
    keys: SubscriptionKeys


class SubscriptionIn(msgspec.Struct, rename="camel"):
    """Body of POST webpush/subscriptions."""

    site: str
    """The domain's public VAPID key."""
    subscription: BrowserSubscription
    language: Any = None
    page: Any = None
    visitor: Any = None
    contact_id: Any = None
    replaces: Any = None
    worker_version: Any = None


class Subscribed(msgspec.Struct, rename="camel"):
    token: str
    contact_id: int


class PushEventIn(msgspec.Struct, rename="camel"):
    """Body of POST webpush/events: `es('sendEvent', eventTypeKey, token, [{name, value}])`."""

    site: str
    token: Any = None
    event_type_key: Any = None
    params: Any = None


class ReportIn(msgspec.Struct, rename="camel"):
    """Body of POST webpush/reports: what became of a message, as the worker saw it."""

    site: str
    interaction_id: Any = None
    token: Any = None
    status: Any = None
