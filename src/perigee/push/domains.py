"""Web-push domains of an organisation (contract 23.4–23.7).

A domain that is there already with the same data is accepted again; with other data it is refused as registered, so
that a second plugin does not take the first one's service worker away: delete it first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from perigee.db.pool import Connection
from perigee.errors import Conflict, Invalid, PerigeeError
from perigee.lib.addresses import normal_domain
from perigee.lib.scalars import to_text
from perigee.push import store
from perigee.push.types import WebPushDomain, WebPushDomainIn

MAX_DOMAINS = 100
"""Domains of one call."""

REGISTERED = "Domain is already registered"

_FILE = re.compile(r"[A-Za-z0-9._-]{1,120}\.js", re.ASCII)
_FOLDER = re.compile(r"/(?:[A-Za-z0-9._~%+-]+/)*", re.ASCII)
_LONGEST = 300


def origin(value: object) -> str:
    """`https://host` or `https://host:port` of an address on it. Raises Invalid: no scheme, not https, no host. Pure."""
    text = to_text("domain", value, limit=_LONGEST)
    if text is None:
        raise Invalid("domain: is required", field="domain")
    try:
        parts = urlsplit(text)
        host, port = normal_domain(parts.hostname or ""), parts.port
    except ValueError:
        raise Invalid.of("domain", text, "is not an address like https://shop.example.com") from None
    if parts.scheme.lower() != "https":
        raise Invalid.of("domain", text, "must begin with https://")
    if host is None or parts.username is not None:
        raise Invalid.of("domain", text, "is not an address like https://shop.example.com")
    return f"https://{host}" if port in (None, 443) else f"https://{host}:{port}"


def clean(given: Any) -> WebPushDomain | Invalid:
    """One domain of a call, or which member breaks which rule. Pure."""
    try:
        wire = msgspec.convert(given, WebPushDomainIn)
        return WebPushDomain(
            origin(wire.domain),
            _matching("serviceWorkerName", wire.service_worker_name, _FILE, "is not a file name like sw.js"),
            _folder("serviceWorkerPath", wire.service_worker_path),
            _folder("serviceWorkerScope", wire.service_worker_scope),
        )
    except msgspec.ValidationError:
        return Invalid("domains: an element is not an object", field="domains")
    except Invalid as error:
        return error


def _folder(field: str, value: Any) -> str:
    text = _matching(field, value, _FOLDER, "must be a path that begins and ends with /, like /push/")
    if {".", ".."} & set(text.split("/")):
        raise Invalid.of(field, text, "must not hold . or .. as a folder")
    return text


def _matching(field: str, value: Any, form: re.Pattern[str], rule: str) -> str:
    text = to_text(field, value, limit=_LONGEST)
    if text is None:
        raise Invalid(f"{field}: is required", field=field)
    if not form.fullmatch(text):
        raise Invalid.of(field, text, rule)
    return text


async def register(
    conn: Connection, org_id: int, domains: Sequence[WebPushDomain | PerigeeError]
) -> list[WebPushDomain | PerigeeError]:
    """Stores the good ones. Per domain: itself, or why not (an error as given; Conflict: there with other data)."""
    wanted: dict[str, WebPushDomain] = {}
    for domain in domains:
        if isinstance(domain, WebPushDomain):
            wanted.setdefault(domain.domain, domain)
    stored = await store.insert_domains(conn, org_id, list(wanted.values())) if wanted else {}
    return [
        domain
        if isinstance(domain, PerigeeError) or stored.get(domain.domain) == domain
        else Conflict(REGISTERED)
        for domain in domains
    ]
