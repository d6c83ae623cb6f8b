"""Which call limit counts for which method of the old wire (contract section 5). Each amount is a setting."""

from __future__ import annotations

import re

from perigee.http.rates import Rate
from perigee.settings import Settings

HOUR = 3600
_PARAMETER = re.compile(r"\{[^}]*\}")


def rates(settings: Settings, method: str, path: str) -> tuple[Rate, ...]:
    """The rates that a call of this method counts for. Those with none of their own share the general one."""
    path = _PARAMETER.sub("{}", path)
    own = _OWN.get((method, path))
    if own is not None:
        return (_named(settings, own),)
    if method == "GET" and path.startswith("/v1/messages/"):
        hourly = Rate("template reads", settings.rate_template_reads_per_hour, HOUR)
        if path == "/v1/messages/email/{}":
            return (_named(settings, "email_template"), hourly)
        return (hourly,)
    return (_named(settings, "calls"),)


_OWN: dict[tuple[str, str], str] = {
    ("GET", "/v1/contacts"): "contact_search",
    ("GET", "/v1/contact/token/{}/{}/contactId"): "contact_by_token",
    ("POST", "/v1/event"): "event_v1",
    ("POST", "/v2/event"): "event_v2",
    ("POST", "/v3/event"): "event_v3",
    ("POST", "/v1/past_events"): "past_events",
    ("POST", "/v2/past_events"): "past_events",
    ("POST", "/v3/past_events"): "past_events",
    ("DELETE", "/v1/past_events"): "past_events_deletion",
    ("PUT", "/v1/interactions/{}/status"): "interactions",
    ("GET", "/v2/contacts/messages"): "message_history",
}


def _named(settings: Settings, name: str) -> Rate:
    field = "event" if name.startswith("event_") else name
    return Rate(name.replace("_", " "), getattr(settings, f"rate_{field}"))
