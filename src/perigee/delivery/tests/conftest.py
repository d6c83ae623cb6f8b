"""A shop and a recording SMTP server for the tests of delivery."""

from __future__ import annotations

import pytest

from perigee.db.pool import Database
from perigee.testing.sending import Shop, make_shop
from perigee.testing.smtp_fixtures import smtp_server, start_smtp_server

__all__ = ["smtp_server", "start_smtp_server"]


@pytest.fixture
async def shop(db: Database) -> Shop:
    return await make_shop(db)
