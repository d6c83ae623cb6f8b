"""Boundary types of the site."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum
from typing import Any, NamedTuple

import msgspec

from perigee.events.types import Identity


class SiteDomainIn(msgspec.Struct):
    """Body of POST site/domains: a host, or any address on it."""

    domain: Any = None


class SiteDomain(msgspec.Struct, rename="camel"):
    domain: str
    site_id: str
    """32 hexadecimal digits in upper case; every tracker event names it."""


class Site(NamedTuple):
    org_id: int
    site_id: str
    domain: str


class Strength(IntEnum):
    """How sure it is that a visitor is a contact (TRACKING 1.3). An equal or stronger sign replaces an older one."""

    WEB_PUSH = 1
    """The browser's subscription made the contact."""
    LINK = 2
    """A contact id, from a link in a message."""
    NAMED = 3
    """The site says who it is: a form, a login."""


class Bound(NamedTuple):
    """Whose a visitor is."""

    contact_id: int
    bound_by: int


class Tracked(NamedTuple):
    """One body of the tracker, cleaned: who was seen, and what they did."""

    visitor_id: str | None
    who: Identity
    occurred_at: datetime
    type_key: str | None = None
    """None: the body only says who the visitor is."""
    event_key: str | None = None
    params: Mapping[str, Any] = {}
    once: tuple[str, ...] = ()
    """Where one of these keys was brought before, the event is the same again and is not recorded."""
