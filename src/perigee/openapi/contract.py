"""The operations of the eSputnik API, as the contract's index (section 27) counts them: 111 + 14 + 12 = 137."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

Kind = Literal["S", "G", "C"]
"""S: in the official OpenAPI file. G: in guides or the reference only. C: only in clients or connectors."""


class Asked(NamedTuple):
    method: str
    path: str
    """After the host, parameters in braces under any name: `/api/v1/contact/{id}`."""
    section: str
    kind: Kind

    @property
    def shape(self) -> tuple[str, str]:
        """What a route is recognised by: method, and path with nameless parameters."""
        return self.method, shape(self.path)


def shape(path: str) -> str:
    """`/api/v1/contact/{}` of `/api/v1/contact/{contact_id:int}`."""
    return re.sub(r"\{[^}]*\}", "{}", path)


CHANNELS = ("email", "sms", "viber", "mobilepush", "appinbox", "telegram")

_TABLE: tuple[tuple[str, Kind, str], ...] = (
    ("8.1", "S", "GET v1/account/info"),
    ("8.2", "G", "GET v1/version"),
    ("8.2", "G", "GET v2/version"),
    ("8.3", "S", "GET v1/balance"),
    ("8.4", "S", "GET v1/balance/history"),
    ("8.5", "S", "POST v1/auth/token"),
    ("9.1", "S", "POST v1/contact"),
    ("9.2", "S", "PUT v1/contact/{id}"),
    ("9.3", "S", "GET v1/contact/{id}"),
    ("9.4", "S", "DELETE v1/contact/{id}"),
    ("9.5", "S", "DELETE v1/contact"),
    ("9.6", "S", "POST v1/contact/subscribe"),
    ("10.1", "S", "POST v1/contacts"),
    ("10.2", "S", "POST v1/contacts/upload"),
    ("10.3", "S", "GET v1/importstatus/{sessionId}"),
    ("11.1", "S", "GET v1/contacts"),
    ("11.2", "S", "GET v1/contacts/email"),
    ("11.3", "S", "GET v2/contacts/activity"),
    ("11.3", "G", "GET v1/contacts/activity"),
    ("11.3", "C", "GET v1/contactActivity"),
    ("11.4", "S", "GET v2/contacts/messages"),
    ("11.5", "S", "GET v2/contacts/recoms/{dataSourceId}"),
    ("11.6", "S", "GET v1/contact/token/{app_uuid}/{token_id}/contactId"),
    ("12.1", "S", "POST v1/emails/unsubscribed/add"),
    ("12.2", "S", "POST v1/emails/unsubscribed/delete"),
    ("12.1", "C", "POST v1/emails/unsubscribe/add"),
    ("12.2", "C", "POST v1/emails/unsubscribe/delete"),
    ("13.1", "S", "GET v1/groups"),
    ("13.2", "S", "GET v1/group/{id}/contacts"),
    ("13.3", "S", "POST v1/group/{id}/contacts/attach"),
    ("13.4", "S", "POST v1/group/{id}/contacts/detach"),
    ("14.1", "S", "GET v1/subscriptions"),
    ("14.2", "S", "GET v1/contact/{id}/subscriptions"),
    ("14.3", "S", "PUT v1/contact/{id}/subscriptions"),
    ("15.1", "S", "GET v1/addressbooks"),
    ("15.2", "C", "GET v1/additionalfields"),
    ("16.1", "S", "POST v1/event"),
    ("16.2", "S", "POST v2/event"),
    ("16.3", "G", "POST v3/event"),
    ("16.4", "S", "POST v1/past_events"),
    ("16.5", "S", "POST v2/past_events"),
    ("16.6", "C", "POST v3/past_events"),
    ("16.7", "S", "DELETE v1/past_events"),
    ("16.8", "C", "GET v1/event"),
    ("17.1", "S", "POST v1/orders"),
    ("17.2", "G", "DELETE v1/orders"),
    ("18.1", "S", "GET v1/messages/email/{id}/viewLink"),
    ("19.1", "S", "POST v1/message/{id}/smartsend"),
    ("19.2", "S", "POST v1/message/email"),
    ("19.3", "S", "POST v1/message/sms"),
    ("19.4", "S", "POST v1/message/viber"),
    ("19.5", "S", "GET v1/message/status"),
    ("19.6", "G", "POST v1/message/{id}/send"),
    ("19.6", "G", "GET v1/message/email/status"),
    ("19.6", "G", "GET v1/message/sms/status"),
    ("19.6", "G", "GET v1/message/viber/status"),
    ("19.6", "G", "GET v1/callouts/sms"),
    ("19.6", "C", "POST v1/campaigns/{id}/start"),
    ("19.6", "C", "POST v1/messages/{id}/stop"),
    ("19.6", "C", "GET v1/contacts/old"),
    ("20.1", "S", "POST v1/broadcast"),
    ("20.2", "S", "GET v1/broadcast/{broadcast_id}"),
    ("20.3", "S", "DELETE v1/broadcast/{broadcast_id}"),
    ("20.4", "S", "GET v1/broadcasts"),
    ("20.5", "S", "GET v1/interfaces/email"),
    ("20.6", "S", "GET v1/interfaces/sms"),
    ("20.7", "S", "GET v1/workflows"),
    ("21.1", "S", "GET v1/promocodes"),
    ("21.2", "S", "POST v1/promocodes"),
    ("21.3", "S", "GET v1/promocodes/count"),
    ("21.4", "S", "POST v1/preprocessor/file/upload"),
    ("21.5", "S", "POST v1/preprocessor/file/{id}"),
    ("21.6", "S", "GET v1/preprocessor/file/{id}/status"),
    ("22.1", "S", "GET v1/contact/token/activated/{app_uuid}/{token_id}"),
    ("22.2", "S", "PUT v1/contact/token/activated/{app_uuid}/{token_id}"),
    ("22.3", "S", "POST v1/apps/{app_uuid}/tokens"),
    ("22.4", "S", "POST v1/apps/{app_uuid}/token/mute"),
    ("22.5", "S", "POST v1/apps/{app_uuid}/token/unmute"),
    ("22.6", "S", "PUT v1/interactions/{interaction_id}/status"),
    ("22.7", "G", "POST v1/auth/contact/token"),
    ("22.8", "G", "GET /appinbox/v1/messages/count"),
    ("22.8", "G", "GET /appinbox/v1/messages"),
    ("22.8", "G", "POST /appinbox/v1/messages/status"),
    ("23.1", "S", "GET v1/site/domains"),
    ("23.2", "S", "POST v1/site/domains"),
    ("23.3", "S", "GET v1/site/script"),
    ("23.4", "S", "GET v1/site/webpush/domains"),
    ("23.5", "S", "POST v1/site/webpush/domains"),
    ("23.6", "C", "POST v1/site/webpush/domain"),
    ("23.7", "S", "DELETE v1/site/webpush/domains"),
    ("23.8", "S", "GET v1/site/webpush/script"),
    ("23.9", "S", "GET v1/products/config"),
    ("23.10", "S", "POST v1/products/config"),
    ("23.11", "C", "POST v1/shopify/token"),
    ("23.11", "C", "DELETE v1/shopify/token"),
)

_TEMPLATES = (
    "GET v1/messages/{ch}",
    "POST v1/messages/{ch}",
    "GET v1/messages/{ch}/{id}",
    "PUT v1/messages/{ch}/{id}",
    "DELETE v1/messages/{ch}/{id}",
    "PUT v1/messages/{ch}/{id}/{language}",
    "DELETE v1/messages/{ch}/{id}/{language}",
)


def _read(line: str, section: str, kind: Kind) -> Asked:
    method, path = line.split(" ")
    return Asked(method, path if path.startswith("/") else f"/api/{path}", section, kind)


def _all() -> Iterator[Asked]:
    for section, kind, line in _TABLE:
        yield _read(line, section, kind)
    for number, channel in enumerate(CHANNELS, start=1):
        for line in _TEMPLATES:
            yield _read(line.replace("{ch}", channel), f"18.{number}", "S")


def _place(asked: Asked) -> tuple[int, ...]:
    return tuple(int(part) for part in asked.section.split("."))


OPERATIONS: tuple[Asked, ...] = tuple(sorted(_all(), key=_place))
