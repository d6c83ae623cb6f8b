"""A shop, an SMTP server that records, and what comes back."""

from __future__ import annotations

from perigee.delivery.tests.conftest import shop
from perigee.testing.smtp_fixtures import smtp_server, start_smtp_server

__all__ = ["shop", "smtp_server", "start_smtp_server"]
