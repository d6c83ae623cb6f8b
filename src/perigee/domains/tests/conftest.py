"""Tests of sender domains: a real little name server in place of the DNS."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from perigee.settings import Settings
from perigee.testing.api import SETTINGS
from perigee.testing.dns_server import DnsServer, dns_server


@pytest.fixture
def dns() -> Iterator[DnsServer]:
    with dns_server() as server:
        yield server


@pytest.fixture
def settings(dns: DnsServer) -> Settings:
    """Those of the web application in these tests."""
    return dataclasses.replace(SETTINGS, dns_servers=dns.setting, bounce_host="mx.perigee.test")
