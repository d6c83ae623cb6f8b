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
