"""Boundary types of web push."""

from __future__ import annotations

from typing import Any

import msgspec


class WebPushDomainIn(msgspec.Struct, rename="camel"):
    """All members are required."""

    domain: Any = None
    service_worker_name: Any = None
    service_worker_path: Any = None
    service_worker_scope: Any = None


class WebPushDomainsIn(msgspec.Struct):
    """Body of POST site/webpush/domains, well formed; one may stand for the list, and the list for the whole body."""

    domains: list[WebPushDomainIn]


class WebPushDomain(msgspec.Struct, rename="camel", frozen=True):
    domain: str
    """With its scheme: `https://shop.example.com`."""
    service_worker_name: str
    """A file name, `*.js`."""
    service_worker_path: str
    """From the root, a slash at both ends; so is the scope."""
    service_worker_scope: str


class WebPushDomains(msgspec.Struct):
    domains: list[WebPushDomain]


class Success(msgspec.Struct):
    domain: str
    status: str = "ok"


class Failure(msgspec.Struct):
    domain: str
    message: str


class Registered(msgspec.Struct, omit_defaults=True):
    """Answer of POST site/webpush/domain: the one or the other."""

    success: Success | None = None
    errors: Failure | None = None


class AllRegistered(msgspec.Struct, omit_defaults=True):
    """Answer of POST site/webpush/domains: each that succeeded, each that failed."""

    success: list[Success] | None = None
    errors: list[Failure] | None = None
