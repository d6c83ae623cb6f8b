"""Boundary types of the site."""

from __future__ import annotations

from typing import Any

import msgspec


class SiteDomainIn(msgspec.Struct):
    """Body of POST site/domains: a host, or any address on it."""

    domain: Any = None


class SiteDomain(msgspec.Struct, rename="camel"):
    domain: str
    site_id: str
    """32 hexadecimal digits in upper case; every tracker event names it."""
